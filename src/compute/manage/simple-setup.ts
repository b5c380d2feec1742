/** `nova-manage cell_v2 simple_cell_setup` and `map_cell_and_hosts`: one cell with all hosts there are. */
import { newUuid } from '../../base/ids.ts'
import type { Given, ManageCommand } from '../../base/manage/program.ts'
import { saveCellMapping } from '../store/cells.ts'
import { listComputeNodes } from '../store/compute-nodes.ts'
import { cellUrls, mapCell0, syncCell0 } from './cells.ts'
import { cellsOf, type NovaManage, needDatabase } from './deps.ts'
import { mapHostsOf } from './hosts.ts'

const transport = { flags: '--transport-url <transport_url>', help: "the cell's message queue" }

export const simpleSetupCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'cell_v2 simple_cell_setup',
    help: 'map cell0, and the cell of the configuration with its hosts',
    options: [transport],
    async run(given, deps) {
      if (await mapCell0(deps)) {
        if (!(await syncCell0(deps))) return 1
      }
      return await mapCellAndHosts(given, deps)
    },
  },
  {
    name: 'cell_v2 map_cell_and_hosts',
    help: 'map the cell of the configuration with the hosts that are in no cell yet',
    options: [
      transport,
      { flags: '--name <cell_name>', help: 'what to call the cell' },
      { flags: '--verbose', help: 'print the uuid of the cell' },
    ],
    run: mapCellAndHosts,
  },
]

async function mapCellAndHosts(given: Given, deps: NovaManage): Promise<number> {
  const urls = cellUrls(given, deps)
  if (urls === undefined) return 1
  const db = deps.cellDb(needDatabase(deps))
  if ((await listComputeNodes(db)).length === 0) {
    deps.print('No hosts found to map to cell, exiting.')
    return 0
  }
  const known = (await cellsOf(deps)).find((cell) => cell.database_connection === urls.databaseConnection)
  const uuid = known?.uuid ?? newUuid()
  const name = typeof given['name'] === 'string' ? given['name'] : ''
  if (known === undefined) await saveCellMapping(deps.apiDb(), { uuid, name, ...urls })
  const cell = (await cellsOf(deps)).find((one) => one.uuid === uuid)!
  const mapped = await mapHostsOf(deps, cell, { byService: false, say: () => undefined })
  if (mapped === 0) deps.print('All hosts are already mapped to cell(s).')
  else if (given['verbose'] === true) deps.print(uuid)
  return 0
}
