/** `nova-manage placement heal_allocations`: gives instances the allocations that placement lost. */
import type { PlacementClient } from '#placement/client.ts'
import { type Given, type ManageCommand, positive } from '../../base/manage/program.ts'
import { resourcesOf } from '../scheduler/resource-request.ts'
import { cell0Uuid } from '../store/cell-dbs.ts'
import type { CellMappingRow } from '../store/cells.ts'
import { listComputeNodes } from '../store/compute-nodes.ts'
import { findInstanceMapping } from '../store/instance-mappings.ts'
import { type InstanceToHeal, listInstancesToHeal } from '../store/instances-to-heal.ts'
import { cellsOf, type NovaManage } from './deps.ts'

/** Nova's exit codes of this command. */
const code = { healed: 0, more: 1, noComputeNode: 2, refused: 3, nothing: 4, invalid: 127 } as const
const batch = 50

export const healCommand: ManageCommand<NovaManage> = {
  name: 'placement heal_allocations',
  help: 'create the allocations that instances lack, and complete those without project and user',
  options: [
    { flags: '--max-count <max_count>', help: 'look at so many, and exit with 1 when there are more' },
    { flags: '--verbose', help: 'tell of each instance' },
    { flags: '--dry-run', help: 'change nothing; exits with 4' },
    { flags: '--instance <instance_uuid>', help: 'only this one' },
    { flags: '--skip-port-allocations', help: 'accepted: ports have no allocations of their own' },
    { flags: '--cell <cell_uuid>', help: 'only the instances of this cell' },
    { flags: '--force', help: 'with --instance: write its allocations anew, whatever they are' },
  ],
  run: heal,
}

interface Healing {
  deps: NovaManage
  placement: PlacementClient
  say: (line: string) => void
  dryRun: boolean
  force: boolean
}

async function heal(given: Given, deps: NovaManage): Promise<number> {
  const { instance, cell } = given as { instance?: string; cell?: string }
  const refuse = (why: string): number => {
    deps.print(why)
    return code.invalid
  }
  if (instance !== undefined && cell !== undefined)
    return refuse('The --cell and --instance options are mutually exclusive.')
  if (given['force'] === true && instance === undefined)
    return refuse('The --instance flag is required when using --force flag.')
  const count = given['maxCount'] === undefined ? Number.POSITIVE_INFINITY : positive(given['maxCount'])
  if (count === undefined) return refuse('Must supply a positive integer for --max-count.')
  let cells = (await cellsOf(deps)).filter(({ uuid }) => uuid !== cell0Uuid)
  if (cell !== undefined) {
    cells = cells.filter(({ uuid }) => uuid === cell)
    if (cells.length === 0) return refuse(`Cell with uuid ${cell} was not found.`)
  }
  if (instance !== undefined) {
    const mapping = await findInstanceMapping(deps.apiDb(), instance)
    cells = cells.filter(({ id }) => id === mapping?.cell_id)
    if (cells.length === 0) {
      return refuse(
        `Unable to find cell for instance ${instance}, is it mapped? Try running "nova-manage cell_v2 verify_instance" or "nova-manage cell_v2 map_instances".`,
      )
    }
  }
  if (cells.length === 0) {
    deps.print('No cells to process.')
    return code.nothing
  }
  const verbose = given['verbose'] === true || given['dryRun'] === true
  const healing: Healing = {
    deps,
    placement: await deps.placement(),
    say: verbose ? deps.print : () => undefined,
    dryRun: given['dryRun'] === true,
    force: given['force'] === true,
  }
  return await healCells(healing, cells, { instance, most: instance === undefined ? count : 1 })
}

async function healCells(
  healing: Healing,
  cells: readonly CellMappingRow[],
  limits: { instance: string | undefined; most: number },
): Promise<number> {
  let looked = 0
  let healed = 0
  for (const cell of cells) {
    healing.say(`Looking for instances in cell: ${cell.name} (${cell.uuid})`)
    const db = healing.deps.cellDb(cell.database_connection)
    const nodes = new Map((await listComputeNodes(db)).map((node) => [node.host, node.uuid]))
    for (let after = 0; ; ) {
      const instances = await listInstancesToHeal(db, { after, count: batch, uuid: limits.instance })
      if (instances.length === 0) break
      for (const instance of instances) {
        if (looked >= limits.most) {
          healing.say(`Max count reached. Processed ${looked} instances.`)
          return code.more
        }
        looked++
        const outcome = await healInstance(healing, instance, nodes)
        if (typeof outcome === 'number') return outcome
        if (outcome) healed++
      }
      if (limits.instance !== undefined) break
      after = instances.at(-1)!.id
    }
  }
  healing.say(`Processed ${looked} instances.`)
  return healed === 0 ? code.nothing : code.healed
}

/** True when its allocations were written; an exit code when they could not be. */
async function healInstance(
  healing: Healing,
  instance: InstanceToHeal,
  nodes: ReadonlyMap<string, string>,
): Promise<boolean | number> {
  const { deps, placement, say } = healing
  if (instance.task_state !== null) {
    say(`Instance ${instance.uuid} is undergoing a task state transition: ${instance.task_state}`)
    return false
  }
  if (instance.host === null) {
    say(`Instance ${instance.uuid} is not on a host.`)
    return false
  }
  const known = await placement.getAllocations(instance.uuid)
  const missing = Object.keys(known.allocations).length === 0
  const whole = known.projectId === instance.project_id && known.userId === instance.user_id
  if (!missing && whole && !healing.force) {
    say(`The allocation of instance ${instance.uuid} is up-to-date. Nothing to be healed.`)
    return false
  }
  const node = nodes.get(instance.host)
  if (node === undefined) {
    deps.print(`Compute host ${instance.host} of instance ${instance.uuid} has no compute node record.`)
    return code.noComputeNode
  }
  const allocations =
    missing || healing.force
      ? { [node]: { resources: resourcesOf({ flavor: instance.flavor }) } }
      : Object.fromEntries(
          Object.entries(known.allocations).map(([uuid, { resources }]) => [uuid, { resources }]),
        )
  const [doing, done] = missing ? ['Create', 'created'] : ['Update', 'updated']
  if (healing.dryRun) {
    say(`[dry-run] ${doing} allocations for instance ${instance.uuid}: ${JSON.stringify(allocations)}`)
    return false
  }
  const { project_id, user_id } = instance
  const result = await placement.claim(instance.uuid, { allocations }, project_id, user_id, {
    consumerGeneration: known.consumerGeneration,
  })
  if (result.outcome !== 'claimed') {
    deps.print(`Allocations of instance ${instance.uuid} could not be ${done}: ${result.reason}`)
    return code.refused
  }
  say(`Successfully ${done} allocations for instance ${instance.uuid}.`)
  return true
}
