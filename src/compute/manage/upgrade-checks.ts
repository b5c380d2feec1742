/** What `nova-status upgrade check` looks at. */
import { describeError, isFault } from '../../base/errors.ts'
import type { UpgradeCheck } from '../../base/manage/upgrade-check.ts'
import { cell0Uuid } from '../store/cell-dbs.ts'
import { listHostMappings } from '../store/cells.ts'
import { listComputeNodes } from '../store/compute-nodes.ts'
import { listServices, serviceVersion } from '../store/services.ts'
import { cellsOf, type NovaManage } from './deps.ts'

export const upgradeChecks: readonly UpgradeCheck<NovaManage>[] = [
  { name: 'Cells v2', check: checkCells },
  { name: 'Placement API', check: checkPlacement },
  { name: 'Resource Providers', check: checkProviders },
  { name: 'Policy File JSON to YAML Migration', check: checkPolicyFile },
  { name: 'Older than N-1 computes', check: checkComputes },
  { name: 'Service User Token Configuration', check: checkServiceUser },
]

async function checkCells(deps: NovaManage) {
  const cells = await cellsOf(deps)
  if (cells.length < 2) {
    return {
      result: 'Failure',
      details:
        'There needs to be at least two cell mappings, one for cell0 and one for your first cell. Run command ' +
        "'nova-manage cell_v2 simple_cell_setup' and then retry.",
    } as const
  }
  if (!cells.some((cell) => cell.uuid === cell0Uuid)) {
    const details =
      "No cell0 mapping found. Run command 'nova-manage cell_v2 simple_cell_setup' and then retry."
    return { result: 'Failure', details } as const
  }
  if ((await listHostMappings(deps.apiDb())).size > 0) return { result: 'Success' } as const
  const nodes = []
  for (const cell of cells) nodes.push(...(await listComputeNodes(deps.cellDb(cell.database_connection))))
  if (nodes.length > 0) {
    const details =
      "No host mappings found but there are compute nodes. Run command 'nova-manage cell_v2 simple_cell_setup' " +
      'and then retry.'
    return { result: 'Failure', details } as const
  }
  const details =
    "No host mappings or compute nodes were found. Remember to run command 'nova-manage cell_v2 discover_hosts' " +
    'when new compute hosts are deployed.'
  return { result: 'Success', details } as const
}

async function checkPlacement(deps: NovaManage) {
  try {
    await (await deps.placement()).listProviders({
      name: 'no such provider: this only asks whether it answers',
    })
    return { result: 'Success' } as const
  } catch (error) {
    if (!isFault(error)) throw error
    return { result: 'Failure', details: describeError(error) } as const
  }
}

async function checkProviders(deps: NovaManage) {
  let nodes = 0
  for (const cell of await cellsOf(deps)) {
    nodes += (await listComputeNodes(deps.cellDb(cell.database_connection))).length
  }
  if (nodes === 0) return { result: 'Success' } as const
  let providers: number
  try {
    providers = (await (await deps.placement()).listProviders({ resources: 'VCPU:1' })).length
  } catch (error) {
    if (!isFault(error)) throw error
    return { result: 'Failure', details: describeError(error) } as const
  }
  if (providers > 0) return { result: 'Success' } as const
  const details =
    `Placement has no provider with room for a VCPU, but there are ${nodes} compute nodes: no server can be ` +
    'scheduled. Do the nova-compute services reach placement, or are all hosts full?'
  return { result: 'Warning', details } as const
}

async function checkPolicyFile(deps: NovaManage) {
  const file = deps.settings.policyFile
  if (file === null || !file.endsWith('.json')) return { result: 'Success' } as const
  const details = `The policy file ${file} is JSON. Write it as YAML and set [oslo_policy] policy_file to it.`
  return { result: 'Failure', details } as const
}

async function checkComputes(deps: NovaManage) {
  const old: string[] = []
  for (const cell of await cellsOf(deps)) {
    const services = await listServices(deps.cellDb(cell.database_connection), { binary: 'nova-compute' })
    old.push(...services.filter(({ version }) => version < serviceVersion - 5).map(({ host }) => host))
  }
  if (old.length === 0) return { result: 'Success' } as const
  const details = `These compute services are older than the release before this one: ${old.join(', ')}. Upgrade them first.`
  return { result: 'Failure', details } as const
}

async function checkServiceUser(deps: NovaManage) {
  if (deps.settings.sendServiceUserToken) return { result: 'Success' } as const
  const details =
    "No [service_user] is configured: what is done for a user is done with the user's own token, which must last " +
    'as long as the work.'
  return { result: 'Success', details } as const
}
