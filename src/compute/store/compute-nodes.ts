import type { Insertable, Selectable } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import type { Db } from '../../base/db/database.ts'
import { newUuid } from '../../base/ids.ts'
import type { CellTables, ComputeNodesTable } from './cell-tables.ts'

export type ComputeNodeRow = Selectable<ComputeNodesTable>
type ComputeNodeFacts = Omit<
  Insertable<ComputeNodesTable>,
  'id' | 'uuid' | 'created_at' | 'updated_at' | 'deleted' | 'deleted_at'
>

export function listComputeNodes(
  db: Db<CellTables>,
  filter: { host?: string; hostnameLike?: string; uuid?: string } = {},
): Promise<ComputeNodeRow[]> {
  let query = db.selectFrom('compute_nodes').selectAll().where('deleted', '=', 0).orderBy('id')
  if (filter.host !== undefined) query = query.where('host', '=', filter.host)
  if (filter.uuid !== undefined) query = query.where('uuid', '=', filter.uuid)
  if (filter.hostnameLike !== undefined) {
    query = query.where('hypervisor_hostname', 'like', `%${filter.hostnameLike}%`)
  }
  return query.execute()
}

/** Those of the hosts that have no compute node. */
export async function unknownHosts(db: Db<CellTables>, hosts: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('compute_nodes')
    .select('host')
    .where('host', 'in', hosts)
    .where('deleted', '=', 0)
    .execute()
  const known = new Set(rows.map((row) => row.host))
  return hosts.filter((host) => !known.has(host))
}

/** Writes what a host reported about itself; gives the node's uuid, which stays the same. */
export async function saveComputeNode(db: Db<CellTables>, facts: ComputeNodeFacts): Promise<string> {
  const [known] = await db
    .selectFrom('compute_nodes')
    .select('uuid')
    .where('host', '=', facts.host)
    .where('hypervisor_hostname', '=', facts.hypervisor_hostname)
    .where('deleted', '=', 0)
    .execute()
  const now = timestamp()
  if (known !== undefined) {
    await db
      .updateTable('compute_nodes')
      .set({ ...facts, updated_at: now })
      .where('uuid', '=', known.uuid)
      .execute()
    return known.uuid
  }
  const uuid = newUuid()
  await db
    .insertInto('compute_nodes')
    .values({ ...facts, uuid, created_at: now, updated_at: now, deleted: 0, deleted_at: null })
    .execute()
  return uuid
}

export async function deleteComputeNodes(db: Db<CellTables>, host: string): Promise<void> {
  await db
    .updateTable('compute_nodes')
    .set((e) => ({ deleted: e.ref('id'), deleted_at: timestamp() }))
    .where('host', '=', host)
    .where('deleted', '=', 0)
    .execute()
}

/** What the instances of a host take of it, counted when asked for: nothing to be kept in step with. */
export interface HostUsage {
  host: string
  instances: number
  vcpus: number
  memoryMb: number
  localGb: number
  /** Instances with a task that burdens the host's disks. */
  ioOps: number
}

const ioTasks = [
  'block_device_mapping',
  'spawning',
  'rebuilding',
  'resize_prep',
  'image_snapshot',
  'image_backup',
]

export async function listHostUsage(db: Db<CellTables>): Promise<Map<string, HostUsage>> {
  const rows = await db
    .selectFrom('instances')
    .select((e) => [
      'host',
      e.fn.countAll<number>().as('instances'),
      e.fn.sum<number>('vcpus').as('vcpus'),
      e.fn.sum<number>('memory_mb').as('memoryMb'),
      e.fn.sum<number>(e('root_gb', '+', e.ref('ephemeral_gb'))).as('localGb'),
      e.fn.sum<number>(e.case().when('task_state', 'in', ioTasks).then(1).else(0).end()).as('ioOps'),
    ])
    .where('deleted', '=', 0)
    .where('host', 'is not', null)
    .groupBy('host')
    .execute()
  return new Map(
    rows.map(({ host, ...sums }) => {
      const numbers = Object.fromEntries(Object.entries(sums).map(([key, sum]) => [key, Number(sum)]))
      return [host!, { host: host!, ...numbers } as HostUsage]
    }),
  )
}
