/** What hosts say of their guests, against what is recorded of the instances. */
import type { Logger } from '../../base/log.ts'
import type { Cells } from '../cells/open-cells.ts'
import type { CellDb } from '../store/cell-dbs.ts'
import { moveInstance, updateInstance } from '../store/instance-changes.ts'
import type { InstanceRow } from '../store/instance-records.ts'
import { type GuestState, type PowerState, powerStateNumber } from '../virt/driver.ts'

interface Deps {
  cells: Cells
  log: Logger
}

/** A guest changed its power state by itself: shut down from within, paused by an operator, crashed. */
export async function notePowerChange(
  { cells, log }: Deps,
  change: { host: string; uuid: string; power: PowerState },
): Promise<void> {
  for (const cell of cells.withHosts()) {
    const row = await cell.db
      .selectFrom('instances')
      .selectAll()
      .where('uuid', '=', change.uuid)
      .where('deleted', '=', 0)
      .executeTakeFirst()
    if (row === undefined) continue
    if (row.host === change.host) await follow(cell, row, change.power, log)
    return
  }
}

// While something is done to the instance, its power state changes on purpose.
async function follow(cell: CellDb, row: InstanceRow, power: PowerState, log: Logger): Promise<void> {
  if (row.task_state !== null || row.vm_state === 'building') return
  const vmState = vmStateFor(row.vm_state, power)
  if (vmState === row.vm_state && powerStateNumber[power] === row.power_state) return
  log.info({ uuid: row.uuid, vmState: row.vm_state, power }, 'a guest changed its power state by itself')
  const changes = { vm_state: vmState, power_state: powerStateNumber[power] }
  await moveInstance(cell.db, row.uuid, { vmStates: [row.vm_state], taskStates: [null] }, changes)
}

function vmStateFor(vmState: string, power: PowerState): string {
  if (power === 'shutdown' || power === 'crashed') {
    return ['active', 'paused', 'suspended'].includes(vmState) ? 'stopped' : vmState
  }
  if (power === 'running') return ['stopped', 'paused', 'suspended'].includes(vmState) ? 'active' : vmState
  if (power === 'paused') return vmState === 'active' ? 'paused' : vmState
  return vmState
}

/**
 * Compares all guests of a host; gives those whose instance was deleted, or is on another host by now. A guest that no
 * cell ever heard of is left alone: a database that was lost must not take the guests with it.
 */
export async function syncGuests(
  { cells, log }: Deps,
  host: string,
  guests: readonly GuestState[],
): Promise<string[]> {
  const powerOf = new Map(guests.map((guest) => [guest.uuid, guest.power]))
  const unknown = new Map(guests.map((guest) => [guest.uuid, guest.name]))
  const leftovers: string[] = []
  for (const cell of cells.withHosts()) {
    const rows = await listConcerned(cell, host, [...powerOf.keys()])
    for (const row of rows) {
      unknown.delete(row.uuid)
      const power = powerOf.get(row.uuid)
      const gone = row.deleted !== 0 || (row.host !== host && row.task_state === null)
      if (gone && power !== undefined) leftovers.push(row.uuid)
      else if (!gone && row.host === host && power !== undefined) await follow(cell, row, power, log)
      else if (!gone && row.task_state === null && row.vm_state !== 'error' && row.power_state !== 0) {
        log.warn({ uuid: row.uuid, host }, 'an instance has no guest on its host')
        await updateInstance(cell.db, row.uuid, { power_state: 0 })
      }
    }
  }
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
