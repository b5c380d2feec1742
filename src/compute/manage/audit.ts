/** `nova-manage placement audit` and `sync_aggregates`. */
import { Fault, isFault } from '../../base/errors.ts'
import type { Given, ManageCommand } from '../../base/manage/program.ts'
import { listAggregates } from '../store/aggregates.ts'
import { cell0Uuid } from '../store/cell-dbs.ts'
import { listComputeNodes } from '../store/compute-nodes.ts'
import { cellsOf, type NovaManage } from './deps.ts'

export const auditCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'placement audit',
    help: 'find allocations of instances that are no more',
    options: [
      { flags: '--verbose', help: 'tell of each' },
      { flags: '--resource_provider <provider_uuid>', help: 'only of this provider' },
      { flags: '--delete', help: 'delete them' },
    ],
    run: audit,
  },
  {
    name: 'placement sync_aggregates',
    help: "write the host aggregates to placement's providers",
    options: [{ flags: '--verbose', help: 'tell of each host' }],
    run: syncAggregates,
  },
]

/** What compute itself allocates; others' allocations are left alone. */
const ownClasses = new Set(['VCPU', 'PCPU', 'MEMORY_MB', 'DISK_GB', 'VGPU', 'MEM_ENCRYPTION_CONTEXT'])

async function audit(given: Given, deps: NovaManage): Promise<number> {
  const say = given['verbose'] === true ? deps.print : () => undefined
  const placement = await deps.placement()
  const only = given['resourceProvider']
  const providers = await placement.listProviders(typeof only === 'string' ? { uuid: only } : {})
  if (typeof only === 'string' && providers.length === 0) {
    deps.print(`Resource provider with UUID ${only} does not exist.`)
    return 127
  }
  const living = await livingInstances(deps)
  let found = 0
  for (const provider of providers) {
    const consumers = await placement.getProviderAllocations(provider.uuid)
    for (const [consumer, { resources }] of Object.entries(consumers)) {
      if (living.has(consumer) || !Object.keys(resources).some((name) => ownClasses.has(name))) continue
      say(`Allocations were set against consumer UUID ${consumer} but no existing instances are related.`)
      const what = `for consumer UUID ${consumer} on Resource Provider ${provider.uuid}`
      if (given['delete'] === true) {
        await placement.deleteAllocations(consumer)
        say(`Deleted allocations ${what}: ${JSON.stringify(resources)}`)
      } else {
        say(`Allocations ${what} can be deleted: ${JSON.stringify(resources)}`)
      }
      found++
    }
  }
  say(`Processed ${found} allocation${found === 1 ? '' : 's'}.`)
  if (found === 0) return 0
  return given['delete'] === true ? 4 : 3
}

/** Instances in any cell, and those that are being built: their claims come before their rows. */
async function livingInstances(deps: NovaManage): Promise<Set<string>> {
  const living = new Set<string>()
  for (const cell of await cellsOf(deps)) {
    const db = deps.cellDb(cell.database_connection)
    const rows = await db.selectFrom('instances').select('uuid').where('deleted', '=', 0).execute()
    for (const row of rows) living.add(row.uuid)
  }
  for (const row of await deps.apiDb().selectFrom('build_requests').select('instance_uuid').execute()) {
    living.add(row.instance_uuid)
  }
  return living
}

async function syncAggregates(given: Given, deps: NovaManage): Promise<number> {
  const say = given['verbose'] === true ? deps.print : () => undefined
  const placement = await deps.placement()
  const nodes = new Map<string, string[]>()
  for (const cell of await cellsOf(deps)) {
    if (cell.uuid === cell0Uuid) continue
    for (const node of await listComputeNodes(deps.cellDb(cell.database_connection))) {
      nodes.set(node.host, [...(nodes.get(node.host) ?? []), node.uuid])
    }
  }
  const wanted = new Map<string, string[]>()
  for (const aggregate of await listAggregates(deps.apiDb())) {
    for (const host of aggregate.hosts) wanted.set(host, [...(wanted.get(host) ?? []), aggregate.uuid])
  }
  const unknown = [...wanted.keys()].filter((host) => !nodes.has(host))
  for (const [host, aggregates] of wanted) {
    for (const provider of nodes.get(host) ?? []) {
      try {
        const known = await placement.getAggregates(provider)
        const missing = aggregates.filter((uuid) => !known.includes(uuid))
        if (missing.length > 0) await placement.setAggregates(provider, [...known, ...missing])
        say(
          `Successfully added aggregates to resource provider ${provider} of host ${host}: ${missing.length}.`,
        )
      } catch (error) {
        if (!isFault(error)) throw error
        throw new Fault(
          error.kind,
          `The aggregates of host ${host} could not be written to placement.`,
          {},
          error,
        )
      }
    }
  }
  if (unknown.length === 0) return 0
  deps.print(`These hosts are in aggregates, but have no compute node record: ${unknown.join(', ')}.`)
  return 5
}
