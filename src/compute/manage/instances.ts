/** `nova-manage cell_v2`: which cell an instance is in. */
import { type Given, type ManageCommand, positive } from '../../base/manage/program.ts'
import { findInstanceMapping } from '../store/instance-mappings.ts'
import { listUnmappedInstances, mapInstances as writeMappings } from '../store/map-instances.ts'
import { cellsOf, findCell, type NovaManage, noSuchCell } from './deps.ts'

const batch = 50

export const instanceCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'cell_v2 verify_instance',
    help: 'tell whether an instance is mapped to a cell that has it',
    options: [
      { flags: '--uuid <instance_uuid>', help: 'which one', required: true },
      { flags: '--quiet', help: 'print nothing: the exit code tells' },
    ],
    run: verifyInstance,
  },
  {
    name: 'cell_v2 map_instances',
    help: 'map the instances of a cell that are not mapped yet',
    options: [
      { flags: '--cell_uuid <cell_uuid>', help: 'the cell', required: true },
      { flags: '--max-count <max_count>', help: 'map so many, and exit with 1 while there are more' },
      { flags: '--reset', help: 'look at all of them again (each run does)' },
    ],
    run: mapInstances,
  },
]

async function verifyInstance(given: Given, deps: NovaManage): Promise<number> {
  const uuid = String(given['uuid'])
  const say = (line: string) => {
    if (given['quiet'] !== true) deps.print(line)
  }
  const mapping = await findInstanceMapping(deps.apiDb(), uuid)
  if (mapping === undefined) {
    say(`Instance ${uuid} is not mapped to a cell (upgrade is incomplete) or instance does not exist`)
    return 1
  }
  const cell = (await cellsOf(deps)).find(({ id }) => id === mapping.cell_id)
  if (cell === undefined) {
    say(`Instance ${uuid} is not mapped to a cell`)
    return 2
  }
  const row = await deps
    .cellDb(cell.database_connection)
    .selectFrom('instances')
    .select('deleted')
    .where('uuid', '=', uuid)
    .executeTakeFirst()
  if (row === undefined) {
    say(
      mapping.queued_for_delete === 1
        ? `The instance with uuid ${uuid} has been deleted, and archived, but its mapping is still there.`
        : `The instance with uuid ${uuid} is mapped to cell ${cell.uuid}, which does not have it.`,
    )
    return mapping.queued_for_delete === 1 ? 3 : 4
  }
  const state = row.deleted === 0 ? '' : ' (it is deleted)'
  say(`Instance ${uuid} is in cell: ${cell.name} (${cell.uuid})${state}`)
  return 0
}

async function mapInstances(given: Given, deps: NovaManage): Promise<number> {
  const uuid = String(given['cellUuid'])
  const cell = await findCell(deps, uuid)
  if (cell === undefined) {
    noSuchCell(deps, uuid)
    return 1
  }
  let left = Number.POSITIVE_INFINITY
  if (given['maxCount'] !== undefined) {
    const most = positive(given['maxCount'])
    if (most === undefined) {
      deps.print('Must supply a positive value for max-count')
      return 127
    }
    left = most
  }
  const cellDb = deps.cellDb(cell.database_connection)
  let after = 0
  while (left > 0) {
    const { instances, last } = await listUnmappedInstances(cellDb, deps.apiDb(), after, batch)
    if (last === undefined) return 0
    const taken = instances.slice(0, left)
    await writeMappings(deps.apiDb(), cell.id, taken)
    left -= taken.length
    after = last
  }
  return 1
}
