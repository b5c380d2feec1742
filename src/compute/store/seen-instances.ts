/** Instances of a cell by their uuids, each with what its host's service says. */
import type { Selectable } from 'kysely'
import { byIdsIn } from '../../base/db/by-ids.ts'
import type { Db } from '../../base/db/database.ts'
import { gathered } from '../../base/gathered.ts'
import type { CellDb } from './cell-dbs.ts'
import type { CellTables, ServicesTable } from './cell-tables.ts'
import { withParts } from './instance-parts.ts'
import type { Instance } from './instance-records.ts'
import { knownAt, knownOf } from './known-instances.ts'

/** What tells whether a compute service works. */
export type ServiceState = Pick<Selectable<ServicesTable>, 'disabled' | 'forced_down' | 'last_seen_up'>

export interface SeenInstance {
  instance: Instance
  /** Of nova-compute on its host; null without a host, and for a host that none reports. */
  service: ServiceState | null
}

/** With the service of its host: `disabled` is null where there is none. */
interface WithService {
  service_disabled: number | null
  service_forced_down: number | null
  service_last_seen_up: string | null
}

const withServices = (db: Db<CellTables>) =>
  db
    .selectFrom('instances')
    .leftJoin('services as service', (join) =>
      join
        .onRef('service.host', '=', 'instances.host')
        .on('service.binary', '=', 'nova-compute')
        .on('service.deleted', '=', 0),
    )
    .select([
      'service.disabled as service_disabled',
      'service.forced_down as service_forced_down',
      'service.last_seen_up as service_last_seen_up',
    ])

const byIds = byIdsIn<CellTables>()
const readRows = byIds((db, uuids) =>
  withServices(db).selectAll('instances').where('instances.uuid', 'in', uuids),
)
const readRevisions = byIds((db, uuids) =>
  withServices(db)
    .select(['instances.uuid', 'instances.id', 'instances.revision'])
    .where('instances.uuid', 'in', uuids),
)

const serviceOf = (row: WithService): ServiceState | null =>
  row.service_disabled === null
    ? null
    : {
        disabled: row.service_disabled,
        forced_down: row.service_forced_down!,
        last_seen_up: row.service_last_seen_up,
      }

/**
 * The instances that the cell has of these, deleted ones too. Of one that is known, and that nobody is said to work on,
 * only its revision is read. Many ask for one each at the same time: whoever waits for one to become active, above all.
 */
export const seeInstances = gathered(
  async (cell: CellDb, uuids: readonly string[]): Promise<ReadonlyMap<string, SeenInstance>> => {
    const [settled, others] = bySettled(cell, uuids)
    const seen = new Map<string, SeenInstance>()
    const [revisions] = await Promise.all([
      settled.length === 0 ? [] : readRevisions(cell.db, settled),
      readWhole(cell, others, seen),
    ])
    const changed: string[] = []
    for (const row of revisions) {
      const instance = knownAt(cell, row)
      if (instance === undefined) changed.push(row.uuid)
      else seen.set(row.uuid, { instance, service: serviceOf(row) })
    }
    await readWhole(cell, changed, seen)
    return seen
  },
)

function bySettled(cell: CellDb, uuids: readonly string[]): [settled: string[], others: string[]] {
  const isSettled = (uuid: string) => {
    const instance = knownOf(cell, uuid)?.instance
    return instance !== undefined && instance.task_state === null && instance.vm_state !== 'building'
  }
  return [uuids.filter(isSettled), uuids.filter((uuid) => !isSettled(uuid))]
}

async function readWhole(
  cell: CellDb,
  uuids: readonly string[],
  seen: Map<string, SeenInstance>,
): Promise<void> {
  if (uuids.length === 0) return
  const services = new Map<string, ServiceState | null>()
  const rows = (await readRows(cell.db, uuids)).map(
    ({ service_disabled, service_forced_down, service_last_seen_up, ...row }) => {
      services.set(row.uuid, serviceOf({ service_disabled, service_forced_down, service_last_seen_up }))
      return row
    },
  )
  for (const instance of await withParts(cell, rows))
    seen.set(instance.uuid, { instance, service: services.get(instance.uuid)! })
}
