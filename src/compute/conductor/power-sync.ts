/** What hosts say of their guests, against what is recorded of the instances. */
import { type CellDb, inReachable } from '../store/cell-dbs.ts'
import { moveInstance } from '../store/instance-changes.ts'
import type { InstanceRow } from '../store/instance-records.ts'
import { type GuestState, type PowerState, powerStateNumber } from '../virt/driver.ts'
import type { ConductorDeps } from './deps.ts'

export interface PowerSyncDeps extends Pick<ConductorDeps, 'agents' | 'log'> {
  cells: { withHosts(): readonly CellDb[] }
}

/** A guest changed its power state by itself: shut down from within, paused by an operator, crashed. */
export async function notePowerChange(
  deps: PowerSyncDeps,
  change: { host: string; uuid: string; power: PowerState },
): Promise<void> {
  await inReachable(deps.cells.withHosts(), async (cell) => {
    const row = await cell.db
      .selectFrom('instances')
      .selectAll()
      .where('uuid', '=', change.uuid)
      .where('deleted', '=', 0)
      .executeTakeFirst()
    if (row?.host === change.host) await follow(deps, cell, row, change.power)
  })
}

/**
 * What a host said may be older than what was done since, and was brought by another way: before it counts, the host is
 * asked how the guest is now. While something is done to the instance, its power state changes on purpose.
 */
async function follow(
  { agents, log }: PowerSyncDeps,
  cell: CellDb,
  row: InstanceRow,
  said: PowerState,
): Promise<void> {
  if (row.task_state !== null || row.vm_state === 'building' || row.host === null) return
  if (!differs(row, said)) return
  const { power } = await agents(cell.id).powerState({ uuid: row.uuid }, { server: row.host })
  if (power === null || !differs(row, power)) return
  log.info({ uuid: row.uuid, vmState: row.vm_state, power }, 'a guest changed its power state by itself')
  const changes = { vm_state: vmStateFor(row.vm_state, power), power_state: powerStateNumber[power] }
  await moveInstance(cell.db, row.uuid, unchanged(row), changes)
}

const differs = (row: InstanceRow, power: PowerState): boolean =>
  vmStateFor(row.vm_state, power) !== row.vm_state || powerStateNumber[power] !== row.power_state

const unchanged = (row: InstanceRow) => ({
  vmStates: [row.vm_state],
  taskStates: [null],
  ...(row.updated_at === null ? {} : { seen: row.updated_at }),
})

function vmStateFor(vmState: string, power: PowerState): string {
  if (power === 'shutdown' || power === 'crashed') {
    return ['active', 'paused', 'suspended'].includes(vmState) ? 'stopped' : vmState
  }
  if (power === 'running') return ['stopped', 'paused', 'suspended'].includes(vmState) ? 'active' : vmState
  if (power === 'paused') return vmState === 'active' ? 'paused' : vmState
  return vmState
}

export interface HostGuests {
  host: string
  guests: readonly GuestState[]
  /** Uuids of which the host has files and no guest. */
  remnants?: readonly string[]
}

/**
 * Compares all guests of a host; gives those whose instance was deleted, or is on another host by now, and the files of
 * instances that were deleted. What no cell ever heard of is left alone: a database that was lost must not take the
 * guests with it. Nor do files alone tell that an instance which lives has moved: hosts may share their disks.
 */
export async function syncGuests(
  deps: PowerSyncDeps,
  { host, guests, remnants = [] }: HostGuests,
): Promise<string[]> {
  const { cells, agents, log } = deps
  const files = new Set(remnants)
  const powerOf = new Map(guests.map((guest) => [guest.uuid, guest.power]))
  const unknown = new Map(guests.map((guest) => [guest.uuid, guest.name]))
  const leftovers: string[] = []
  await inReachable(cells.withHosts(), async (cell) => {
    const rows = await listConcerned(cell, host, [...powerOf.keys(), ...files])
    for (const row of rows) {
      unknown.delete(row.uuid)
      const power = powerOf.get(row.uuid)
      const gone = row.deleted !== 0 || (row.host !== host && row.task_state === null)
      if (gone && power !== undefined) leftovers.push(row.uuid)
      else if (row.deleted !== 0 && files.has(row.uuid)) leftovers.push(row.uuid)
      else if (!gone && row.host === host && power !== undefined) await follow(deps, cell, row, power)
      else if (!gone && row.task_state === null && row.vm_state !== 'error' && row.power_state !== 0) {
        const now = await agents(cell.id).powerState({ uuid: row.uuid }, { server: host })
        if (now.power !== null) continue
        log.warn({ uuid: row.uuid, host }, 'an instance has no guest on its host')
        await moveInstance(cell.db, row.uuid, unchanged(row), { power_state: 0 })
      }
    }
  })
  if (unknown.size > 0) {
    log.warn(
      { host, guests: Object.fromEntries(unknown) },
      'guests belong to no instance that was ever known',
    )
  }
  return leftovers
}

/** The instances of a host, and those of these uuids wherever and however they are. */
async function listConcerned(cell: CellDb, host: string, uuids: readonly string[]): Promise<InstanceRow[]> {
  const here = await cell.db
    .selectFrom('instances')
    .selectAll()
    .where('host', '=', host)
    .where('deleted', '=', 0)
    .execute()
  const known = new Set(here.map((row) => row.uuid))
  const others = uuids.filter((uuid) => !known.has(uuid))
  if (others.length === 0) return here
  const elsewhere = await cell.db.selectFrom('instances').selectAll().where('uuid', 'in', others).execute()
  return [...here, ...elsewhere]
}
