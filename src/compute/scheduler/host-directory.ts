/** The compute nodes of all cells with their services, zones and burden, read at most once a second. */
import type { Kysely } from 'kysely'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { ApiTables } from '../store/api-tables.ts'
import { type CellDb, inReachable } from '../store/cell-dbs.ts'
import { listHostMappings } from '../store/cells.ts'
import { listComputeNodes, listHostUsage } from '../store/compute-nodes.ts'
import { isUp, listServices, type ServiceRow } from '../store/services.ts'
import type { HostAggregate, HostState } from './host-state.ts'

export interface HostDirectoryOptions {
  apiDb: Kysely<ApiTables>
  /** Those that have hosts. */
  cells: () => readonly CellDb[]
  serviceDownSeconds: number
  defaultAvailabilityZone: string
  clock?: Clock
}

export interface HostDirectory {
  /** By the uuid of the compute node. */
  hosts(): Promise<ReadonlyMap<string, HostState>>
  /** Whether the compute service of a host can be asked for anything. */
  isUp(host: string): Promise<boolean>
  /** Services or aggregates changed: read again. */
  forget(): void
  noteBuild(host: string, succeeded: boolean): void
}

const keepMilliseconds = 1000

export function createHostDirectory(options: HostDirectoryOptions): HostDirectory {
  const clock = options.clock ?? systemClock
  const failedBuilds = new Map<string, number>()
  let kept: { at: number; hosts: Promise<ReadonlyMap<string, HostState>> } | undefined

  async function read(): Promise<ReadonlyMap<string, HostState>> {
    const [aggregates, mappings] = await Promise.all([
      aggregatesByHost(options.apiDb),
      listHostMappings(options.apiDb),
    ])
    const hosts = new Map<string, HostState>()
    const ofCells = await inReachable(options.cells(), async (cell) => {
      const [nodes, services, usage] = await Promise.all([
        listComputeNodes(cell.db),
        listServices(cell.db, { binary: 'nova-compute' }),
        listHostUsage(cell.db),
      ])
      return { cell, nodes, services, usage }
    })
    for (const { cell, nodes, services, usage } of ofCells) {
      const serviceOf = new Map(services.map((service) => [service.host, service]))
      for (const node of nodes) {
        const service = serviceOf.get(node.host)
        if (service === undefined) continue
        const own = aggregates.get(node.host) ?? []
        hosts.set(node.uuid, {
          uuid: node.uuid,
          host: node.host,
          node: node.hypervisor_hostname,
          cellId: cell.id,
          up: isUp(service, options.serviceDownSeconds, clock),
          ...disabledAs(cell, service, mappings.get(node.host)),
          availabilityZone:
            own.find(({ metadata }) => metadata['availability_zone'] !== undefined)?.metadata[
              'availability_zone'
            ] ?? options.defaultAvailabilityZone,
          aggregates: own,
          hypervisorType: node.hypervisor_type,
          hypervisorVersion: node.hypervisor_version,
          cpuInfo: node.cpu_info,
          instances: usage.get(node.host)?.instances ?? 0,
          ioOps: usage.get(node.host)?.ioOps ?? 0,
          failedBuilds: failedBuilds.get(node.host) ?? 0,
        })
      }
    }
    return hosts
  }

  const directory: HostDirectory = {
    hosts() {
      if (kept !== undefined && clock.now() - kept.at < keepMilliseconds) return kept.hosts
      const hosts = read()
      kept = { at: clock.now(), hosts }
      hosts.catch(() => directory.forget())
      return hosts
    },
    async isUp(host) {
      return (await directory.hosts()).values().some((state) => state.host === host && state.up)
    },
    forget: () => {
      kept = undefined
    },
    noteBuild(host, succeeded) {
      if (succeeded) failedBuilds.delete(host)
      else failedBuilds.set(host, (failedBuilds.get(host) ?? 0) + 1)
    },
  }
  return directory
}

function disabledAs(
  cell: CellDb,
  service: ServiceRow,
  mappedTo: number | undefined,
): Pick<HostState, 'disabled' | 'disabledReason'> {
  if (cell.disabled === true) return { disabled: true, disabledReason: `Cell ${cell.name} is disabled.` }
  if (mappedTo !== cell.id) {
    const reason = `It is not mapped to its cell ${cell.name} yet: nova-manage cell_v2 discover_hosts does that.`
    return { disabled: true, disabledReason: reason }
  }
  return { disabled: service.disabled === 1, disabledReason: service.disabled_reason }
}

async function aggregatesByHost(db: Kysely<ApiTables>): Promise<Map<string, HostAggregate[]>> {
  const rows = await db
    .selectFrom('aggregate_hosts')
    .innerJoin('aggregates', 'aggregates.id', 'aggregate_hosts.aggregate_id')
    .select(['aggregate_hosts.host', 'aggregates.id', 'aggregates.uuid', 'aggregates.name'])
    .orderBy('aggregates.id')
    .execute()
  if (rows.length === 0) return new Map()
  const metadata = Map.groupBy(
    await db.selectFrom('aggregate_metadata').selectAll().execute(),
    (row) => row.aggregate_id,
  )
  const found = new Map<string, HostAggregate[]>()
  for (const { host, id, uuid, name } of rows) {
    const pairs = (metadata.get(id) ?? []).map((row) => [row.key, row.value])
    found.set(host, [...(found.get(host) ?? []), { uuid, name, metadata: Object.fromEntries(pairs) }])
  }
  return found
}
