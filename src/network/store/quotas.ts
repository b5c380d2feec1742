/** Limits of what a project may have, and what it has. */
import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import { python } from '../../base/http/validate.ts'
import type { NetworkOptions } from '../config.ts'
import { conflict } from '../errors.ts'
import type { Work } from '../work.ts'
import type { Tables } from './tables.ts'
import { takeTurn } from './turns.ts'

/** What is counted, and in which table. */
export const countedTables = {
  network: 'networks',
  subnet: 'subnets',
  subnetpool: 'subnetpools',
  port: 'ports',
  security_group: 'securitygroups',
  security_group_rule: 'securitygrouprules',
  rbac_policy: 'rbac_policies',
} as const

export const countedResources = Object.keys(countedTables) as (keyof typeof countedTables)[]

export const defaultLimit = (options: NetworkOptions, resource: string): number =>
  options.quotas[resource] ?? options.defaultQuota

const readLimit = statement((db: Db<Tables>, p: { projectId: string; resource: string }) =>
  db
    .selectFrom('quotas')
    .select('limit')
    .where('project_id', '=', p.projectId)
    .where('resource', '=', p.resource),
)

/** Throws OverQuota when these projects may not have one more each; a project may be named several times. */
export async function reserveQuota(
  work: Work,
  resource: string,
  projectIds: readonly string[],
): Promise<void> {
  for (const projectId of new Set(projectIds)) {
    const { rows } = await readLimit(work.db, { projectId, resource })
    const limit = rows[0]?.limit ?? defaultLimit(work.options, resource)
    if (limit < 0) continue
    await takeTurn(work.db, projectId)
    const wanted = projectIds.filter((id) => id === projectId).length
    const used = await countUsed(work.db, resource as keyof typeof countedTables, projectId)
    if (used + wanted > limit)
      throw conflict('OverQuota', `Quota exceeded for resources: ${python([resource])}.`)
  }
}

export async function countUsed(
  db: Db<Tables>,
  resource: keyof typeof countedTables,
  projectId: string,
): Promise<number> {
  const { rows } = await counts[resource](db, { projectId })
  return Number(rows[0]?.used ?? 0)
}

// Whichever table it is, its rows have an owner.
const countIn = (table: string) =>
  statement((db: Db<Tables>, p: { projectId: string }) =>
    db
      .selectFrom(table as 'networks')
      .select((eb) => eb.fn.countAll<number>().as('used'))
      .where('project_id', '=', p.projectId),
  )

const counts = Object.fromEntries(
  Object.entries(countedTables).map(([resource, table]) => [resource, countIn(table)]),
) as Record<keyof typeof countedTables, ReturnType<typeof countIn>>

const usageIn = (resource: keyof typeof countedTables) =>
  statement((db: Db<Tables>, p: { projectId: string }) =>
    db.selectNoFrom((eb) => [
      eb
        .selectFrom('quotas')
        .select('limit')
        .where('project_id', '=', p.projectId)
        .where('resource', '=', resource)
        .as('limit'),
      eb
        .selectFrom(countedTables[resource] as 'networks')
        .select((counting) => counting.fn.countAll<number>().as('used'))
        .where('project_id', '=', p.projectId)
        .as('used'),
    ]),
  )

const usages = Object.fromEntries(
  countedResources.map((resource) => [resource, usageIn(resource)]),
) as Record<keyof typeof countedTables, ReturnType<typeof usageIn>>

/** A project's limit of one resource and what it has of it, in one reading. */
export async function readUsage(
  db: Db<Tables>,
  resource: keyof typeof countedTables,
  projectId: string,
  options: NetworkOptions,
): Promise<{ limit: number; used: number }> {
  const row = (await usages[resource](db, { projectId })).rows[0]!
  return { limit: row.limit ?? defaultLimit(options, resource), used: Number(row.used ?? 0) }
}

const countAll = statement((db: Db<Tables>, p: { projectId: string }) =>
  db.selectNoFrom((eb) =>
    Object.entries(countedTables).map(([resource, table]) =>
      eb
        .selectFrom(table as 'networks')
        .select((counting) => counting.fn.countAll<number>().as('used'))
        .where('project_id', '=', p.projectId)
        .as(resource),
    ),
  ),
)

/** What a project has of each resource, in one reading. */
export async function countAllUsed(
  db: Db<Tables>,
  projectId: string,
): Promise<Record<keyof typeof countedTables, number>> {
  const { rows } = await countAll(db, { projectId })
  return Object.fromEntries(
    Object.entries(rows[0] ?? {}).map(([resource, used]) => [resource, Number(used)]),
  ) as Record<keyof typeof countedTables, number>
}
