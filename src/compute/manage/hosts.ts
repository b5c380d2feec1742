/** `nova-manage cell_v2`: which hosts a cell has. Hosts map themselves as they report; these find what did not. */

import { prettyTable } from '../../base/manage/pretty-table.ts'
import type { Given, ManageCommand } from '../../base/manage/program.ts'
import { cell0Uuid } from '../store/cell-dbs.ts'
import { type CellMappingRow, deleteHostMapping, listHostMappings, saveHostMapping } from '../store/cells.ts'
import { listComputeNodes } from '../store/compute-nodes.ts'
import { countInstancesOfHost } from '../store/instances.ts'
import { listServices } from '../store/services.ts'
import { cellsOf, findCell, type NovaManage, noSuchCell } from './deps.ts'

export const hostCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'cell_v2 discover_hosts',
    help: 'map hosts that reported to their cell and are not mapped yet',
    options: [
      { flags: '--cell_uuid <cell_uuid>', help: 'only in this cell' },
      { flags: '--verbose', help: 'tell what is done' },
      { flags: '--strict', help: 'exit with 1 unless a host was mapped' },
      { flags: '--by-service', help: 'look for nova-compute services instead of compute nodes' },
    ],
    run: discoverHosts,
  },
  {
    name: 'cell_v2 list_hosts',
    help: 'list the hosts of the cells',
    options: [{ flags: '--cell_uuid <cell_uuid>', help: 'only of this cell' }],
    run: listHosts,
  },
  {
    name: 'cell_v2 delete_host',
    help: 'forget that a host is in a cell',
    options: [
      { flags: '--cell_uuid <cell_uuid>', help: 'the cell it is in', required: true },
      { flags: '--host <host>', help: 'which one', required: true },
    ],
    run: deleteHost,
  },
]

async function discoverHosts(given: Given, deps: NovaManage): Promise<number> {
  const uuid = given['cellUuid']
  const say = (line: string) => {
    if (given['verbose'] === true) deps.print(line)
  }
  let cells: CellMappingRow[]
  if (typeof uuid === 'string') {
    const cell = await findCell(deps, uuid)
    if (cell === undefined) {
      noSuchCell(deps, uuid)
      return 1
    }
    cells = [cell]
  } else {
    cells = await cellsOf(deps)
    say(`Found ${cells.length} cell mappings.`)
  }
  let found = 0
  for (const cell of cells) {
    if (cell.uuid === cell0Uuid) say('Skipping cell0 since it does not contain hosts.')
    else found += await mapHostsOf(deps, cell, { byService: given['byService'] === true, say })
  }
  return given['strict'] === true && found === 0 ? 1 : 0
}

/** Maps the hosts of the cell that are not mapped yet; gives how many those were. */
export async function mapHostsOf(
  deps: NovaManage,
  cell: CellMappingRow,
  { byService, say }: { byService: boolean; say: (line: string) => void },
): Promise<number> {
  say(
    cell.name === ''
      ? `Getting computes from cell: ${cell.uuid}`
      : `Getting computes from cell '${cell.name}': ${cell.uuid}`,
  )
  const db = deps.cellDb(cell.database_connection)
  const mapped = await listHostMappings(deps.apiDb())
  const hosts = byService
    ? (await listServices(db, { binary: 'nova-compute' })).map(({ host }) => ({
        host,
        what: `service ${host}`,
      }))
    : (await listComputeNodes(db)).map(({ host, uuid }) => ({
        host,
        what: `compute host '${host}': ${uuid}`,
      }))
  let found = 0
  for (const { host, what } of hosts) {
    if (mapped.has(host)) continue
    if (!byService) say(`Checking host mapping for ${what}`)
    say(`Creating host mapping for ${what}`)
    await saveHostMapping(deps.apiDb(), host, cell.id)
    mapped.set(host, cell.id)
    found++
  }
  say(`Found ${found} unmapped computes in cell: ${cell.uuid}`)
  return found
}

async function listHosts(given: Given, deps: NovaManage): Promise<number> {
  const uuid = given['cellUuid']
  const cells = await cellsOf(deps)
  if (typeof uuid === 'string' && !cells.some((cell) => cell.uuid === uuid)) {
    noSuchCell(deps, uuid)
    return 1
  }
  const byId = new Map(cells.map((cell) => [cell.id, cell]))
  const rows = [...(await listHostMappings(deps.apiDb()))]
    .map(([host, cellId]) => ({ host, cell: byId.get(cellId) }))
    .filter(({ cell }) => uuid === undefined || cell?.uuid === uuid)
    .map(({ host, cell }) => [cell?.name ?? '', cell?.uuid ?? '', host])
    .toSorted((a, b) => (a.join() < b.join() ? -1 : 1))
  deps.print(prettyTable(['Cell Name', 'Cell UUID', 'Hostname'], rows))
  return 0
}

async function deleteHost(given: Given, deps: NovaManage): Promise<number> {
  const uuid = String(given['cellUuid'])
  const host = String(given['host'])
  const cell = await findCell(deps, uuid)
  if (cell === undefined) {
    noSuchCell(deps, uuid)
    return 1
  }
  const cellId = (await listHostMappings(deps.apiDb())).get(host)
  if (cellId === undefined) {
    deps.print(`The host ${host} was not found.`)
    return 2
  }
  if (cellId !== cell.id) {
    deps.print(`The host ${host} was not found in the cell ${uuid}.`)
    return 3
  }
  if ((await countInstancesOfHost(deps.cellDb(cell.database_connection), host)) > 0) {
    deps.print(`There are instances on the host ${host}.`)
    return 4
  }
  await deleteHostMapping(deps.apiDb(), host)
  return 0
}
