/** Chooses a host for a server and claims its resources there. */
import type { Kysely } from 'kysely'
import type { AllocationCandidates, PlacementClient } from '#placement/client.ts'
import { Fault, isFault } from '../../base/errors.ts'
import { inOrder } from '../../base/task/in-order.ts'
import type { Selection } from '../rpc/scheduler.ts'
import type { ApiTables } from '../store/api-tables.ts'
import type { CellDb } from '../store/cell-dbs.ts'
import type { RequestSpec } from '../store/request-specs.ts'
import { explainRefusals, resourceRefusals } from './explain.ts'
import { availableFilters, defaultFilters } from './filters/filters.ts'
import type { HostDirectory } from './host-directory.ts'
import type { Candidate, Filter, HostState, SchedulingContext } from './host-state.ts'
import { candidatesQuery, resourcesOf } from './resource-request.ts'
import { schedulingContext } from './scheduling-context.ts'
import { defaultWeighers, filterHosts, rankHosts } from './weighers/weighers.ts'

export interface SchedulerOptions {
  apiDb: Kysely<ApiTables>
  /** Those that have hosts. */
  cells: () => readonly CellDb[]
  /** Reads anew which there are; not given where none can come. */
  refreshCells?: () => Promise<void>
  placement: PlacementClient
  directory: HostDirectory
  enabledFilters?: readonly string[]
  /** `[scheduler] max_placement_results`. */
  maxCandidates?: number
}

export interface Scheduler {
  /** Throws `unavailable`, details.noValidHost, when no host will do; its message says which refused why. */
  select(spec: RequestSpec, excludedHosts: readonly string[]): Promise<Selection>
  /** The server does not go where it was to go, or is there. */
  forget(instanceUuid: string): void
  /** How a build on a host ended: hosts on which builds fail are chosen last. */
  noteBuild(host: string, succeeded: boolean): void
  /** What is remembered of hosts is out of date. */
  hostsChanged(): void
}

/** Most servers of groups that are remembered until their records can be read. */
const mostRemembered = 10_000

export function createScheduler(options: SchedulerOptions): Scheduler {
  const filters = (options.enabledFilters ?? defaultFilters).map((name): Filter => {
    const filter = availableFilters.get(name)
    if (filter === undefined) throw new Fault('invalid', `enabled_filters names ${name}, which is no filter.`)
    return filter
  })
  const ordered = inOrder()
  const chosen = new Map<string, string>()
  return {
    async select(spec, excluded) {
      const { groupUuid, instanceUuid } = spec
      const choose = () => selectAnywhere(options, filters, spec, excluded, chosen)
      if (groupUuid === null) return await choose()
      // Servers of a group depend on each other's hosts, and those that were just chosen are recorded a little later.
      return await ordered(groupUuid, async () => {
        const selection = await choose()
        if (chosen.size >= mostRemembered) chosen.delete(chosen.keys().next().value!)
        chosen.set(instanceUuid, selection.host)
        return selection
      })
    },
    forget: (instanceUuid) => chosen.delete(instanceUuid),
    noteBuild: (host, succeeded) => options.directory.noteBuild(host, succeeded),
    hostsChanged: () => options.directory.forget(),
  }
}

/** As `select`; before it is told that no host will do, cells that came meanwhile are asked too. */
async function selectAnywhere(...given: Parameters<typeof select>): Promise<Selection> {
  const [options] = given
  const known = new Set(options.cells().map((cell) => cell.id))
  try {
    return await select(...given)
  } catch (error) {
    if (!isFault(error) || error.details['noValidHost'] !== true) throw error
    await options.refreshCells?.()
    if (options.cells().every((cell) => known.has(cell.id))) throw error
    options.directory.forget()
    return await select(...given)
  }
}

async function select(
  options: SchedulerOptions,
  filters: readonly Filter[],
  spec: RequestSpec,
  excluded: readonly string[],
  chosen: ReadonlyMap<string, string>,
): Promise<Selection> {
  const { placement, directory } = options
  const hosts = await directory.hosts()
  const only = chosenByUser(spec, hosts)
  const resources = resourcesOf(spec)
  const query = { limit: options.maxCandidates ?? 1000, inTree: only?.uuid }
  const offers = await placement.listAllocationCandidates(candidatesQuery(spec, resources, query))
  const offered = toCandidates(offers, hosts)
  const refusals = new Map<string, string>()
  const context = await schedulingContext(options, spec, chosen)
  const forced = spec.forceHost !== null || spec.forceNode !== null
  const ignored = new Set([...excluded, ...(spec.ignoreHosts ?? [])])
  const left = offered.filter((host) => {
    if (!ignored.has(host.host)) return true
    refusals.set(host.node, 'it was tried or is to be left out')
    return false
  })
  const passing = filterHosts(left, forced ? [] : filters, context, (host, why) =>
    refusals.set(host.node, why),
  )
  for (const host of rankHosts(passing, defaultWeighers, context)) {
    const claimed = await claim(placement, spec, host)
    if (claimed === undefined) return selectionOf(host)
    refusals.set(host.node, claimed)
  }
  const candidates = new Set(offered.map((host) => host.uuid))
  const others = [...hosts.values()].filter((host) => !candidates.has(host.uuid))
  const asked = only === undefined ? others : others.filter((host) => host.uuid === only.uuid)
  for (const [node, why] of await resourceRefusals(placement, spec, resources, asked)) refusals.set(node, why)
  const message = `No valid host was found. ${explainRefusals(refusals)}`
  throw new Fault('unavailable', message, { noValidHost: true, refusals: Object.fromEntries(refusals) })
}

const selectionOf = (host: Candidate): Selection => ({
  host: host.host,
  node: host.node,
  nodeUuid: host.uuid,
  cellId: host.cellId,
  availabilityZone: host.availabilityZone,
})

function chosenByUser(spec: RequestSpec, hosts: ReadonlyMap<string, HostState>): HostState | undefined {
  const host = spec.forceHost ?? spec.requestedHost
  const node = spec.forceNode ?? spec.requestedNode
  if (host === null && node === null) return undefined
  const found = [...hosts.values()].find(
    (state) => (host === null || state.host === host) && (node === null || state.node === node),
  )
  if (found !== undefined) return found
  const message = `No valid host was found. There is no host ${host ?? node}.`
  throw new Fault('unavailable', message, { noValidHost: true })
}

function toCandidates(
  { allocationRequests, providerSummaries }: AllocationCandidates,
  hosts: ReadonlyMap<string, HostState>,
): Candidate[] {
  const candidates = new Map<string, Candidate>()
  for (const request of allocationRequests) {
    const [provider] = Object.keys(request.allocations)
    const summary = providerSummaries[provider!]
    const host = hosts.get(summary?.root_provider_uuid ?? provider!)
    if (summary === undefined || host === undefined || candidates.has(host.uuid)) continue
    const free = (name: string) => {
      const held = summary.resources[name]
      return held === undefined ? 0 : held.capacity - held.used
    }
    candidates.set(host.uuid, {
      ...host,
      request,
      freeRamMb: free('MEMORY_MB'),
      freeDiskGb: free('DISK_GB'),
      freeVcpus: free('VCPU'),
      traits: summary.traits,
    })
  }
  return [...candidates.values()]
}

/** Undefined when the host is the server's now; else why not. */
async function claim(
  placement: PlacementClient,
  spec: RequestSpec,
  host: Candidate,
): Promise<string | undefined> {
  const { instanceUuid, projectId, userId } = spec
  for (let attempt = 1; ; attempt++) {
    const result = await placement.claim(instanceUuid, host.request, projectId, userId)
    if (result.outcome === 'claimed') return undefined
    if (result.outcome === 'no-capacity' || attempt === 3) return `placement: ${result.reason}`
    // A claim that was made before a crash, and that the flow does not know of.
    await placement.deleteAllocations(instanceUuid)
  }
}

export type { SchedulingContext }
