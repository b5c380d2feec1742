import { sql } from 'kysely'
import { unknownConsumerType } from './consumers.ts'
import type { PlacementDb } from './tables.ts'

/** Resource class → used, for each inventory of a provider. */
export async function getProviderUsages(
  db: PlacementDb,
  providerId: number,
): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('inventories as i')
    .innerJoin('resource_classes as c', 'c.id', 'i.resource_class_id')
    .leftJoin('allocations as a', (join) =>
      join
        .onRef('a.resource_provider_id', '=', 'i.resource_provider_id')
        .onRef('a.resource_class_id', '=', 'i.resource_class_id'),
    )
    .select(['c.name', sql<number>`coalesce(sum(a.used), 0)`.as('used')])
    .where('i.resource_provider_id', '=', providerId)
    .groupBy(['i.resource_class_id', 'c.name'])
    .orderBy('i.resource_class_id')
    .execute()
  return Object.fromEntries(rows.map((row) => [row.name, Number(row.used)]))
}

export interface UsageFilter {
  projectId: string
  userId?: string | undefined
}

// The allocations of a project, with the consumer's type.
function allocationsOf(db: PlacementDb, filter: UsageFilter) {
  let query = db
    .selectFrom('allocations as a')
    .innerJoin('consumers as c', 'c.uuid', 'a.consumer_id')
    .innerJoin('projects', 'projects.id', 'c.project_id')
    .leftJoin('consumer_types as t', 't.id', 'c.consumer_type_id')
    .where('projects.external_id', '=', filter.projectId)
  if (filter.userId !== undefined) {
    const user = db.selectFrom('users').select('id').where('external_id', '=', filter.userId)
    query = query.where('c.user_id', 'in', user)
  }
  return query
}

/** Resource class → used by a project or one user in it. */
export async function getProjectUsages(
  db: PlacementDb,
  filter: UsageFilter,
): Promise<Record<string, number>> {
  const rows = await allocationsOf(db, filter)
    .innerJoin('resource_classes as rc', 'rc.id', 'a.resource_class_id')
    .select(['rc.name', sql<number>`sum(a.used)`.as('used')])
    .groupBy(['a.resource_class_id', 'rc.name'])
    .orderBy('a.resource_class_id')
    .execute()
  return Object.fromEntries(rows.map((row) => [row.name, Number(row.used)]))
}

/** Consumer type → how many consumers, and resource class → used; `all` adds the types up. */
export async function getUsagesByType(
  db: PlacementDb,
  filter: UsageFilter & { type?: string | undefined },
): Promise<Record<string, Record<string, number>>> {
  const rows = await allocationsOf(db, filter)
    .innerJoin('resource_classes as rc', 'rc.id', 'a.resource_class_id')
    .select(['rc.name', 't.name as type', sql<number>`sum(a.used)`.as('used')])
    .groupBy(['a.resource_class_id', 'rc.name', 't.name'])
    .orderBy('a.resource_class_id')
    .execute()
  const counts = await allocationsOf(db, filter)
    .select(['t.name as type', sql<number>`count(distinct a.consumer_id)`.as('consumers')])
    .groupBy('t.name')
    .execute()
  const groupOf = (type: string | null): string =>
    filter.type === 'all' ? 'all' : (type ?? unknownConsumerType)
  const shown = (group: string): boolean =>
    filter.type === undefined || filter.type === 'all' || filter.type === group
  const usages: Record<string, Record<string, number>> = {}
  for (const row of counts) {
    const group = groupOf(row.type)
    if (!shown(group)) continue
    const usage = usages[group] ?? {}
    usages[group] = usage
    usage['consumer_count'] = (usage['consumer_count'] ?? 0) + Number(row.consumers)
  }
  for (const row of rows) {
    const usage = usages[groupOf(row.type)]
    if (usage !== undefined) usage[row.name] = (usage[row.name] ?? 0) + Number(row.used)
  }
  return usages
}
