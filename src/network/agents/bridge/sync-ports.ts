/**
 * The bridge agent's reconciler: bridges, rules and guests' devices of this host, and the news to the server.
 *
 * A run does what it was woken for: it asks the server what changed and changes just that on the host, or looks at the
 * devices that the kernel told of. At the start, after a failure and by its timer it compares all that is wanted with
 * all that is there.
 */
import type { Clock } from '../../../base/clock.ts'
import { describeError } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Task } from '../../../base/task/task.ts'
import type { Host } from '../../../linux/host.ts'
import type { PortDevice } from '../../../linux/links.ts'
import type { Changed, News, ServerMethods, WantedPort } from '../../rpc/agents.ts'
import { type CloudNames, tapName } from '../names.ts'
import { PortFilter } from './filter-ports.ts'
import type { BridgeOptions } from './options.ts'
import { bridgeOf } from './plan-devices.ts'
import { planTaps } from './plan-taps.ts'
import { createPortReports } from './port-reports.ts'
import { addDifference, type Difference, noDifference, WantedState } from './wanted-state.ts'
import { Devices } from './wire-devices.ts'

export interface SyncDeps {
  server: Pick<ServerMethods, 'wantedL2' | 'portsChanged'>
  host: Host
  hostName: string
  names: CloudNames
  options: BridgeOptions
  log: Logger
  clock: Clock
}

/** What the agent shows of itself in its reports. */
export interface SyncStatus {
  devices: number
}

export interface SyncPorts {
  task: Task
  status: SyncStatus
  /** The server wants something else. True when that concerns this host: the next run asks what. */
  changed(changed: Changed): boolean
  /** A guest's device came, went or changed. True when it is one that the next run looks at. */
  tapChanged(name: string): boolean
  /** A bridge or a physical device did. */
  deviceChanged(): void
  /** The next run compares everything. */
  compareAll(): void
}

/** How often all is compared with the host, however often the agent is woken. */
const compareMilliseconds = 60_000
/** How often the server is asked for everything, in case an answer was not what it should have been. */
const wholeMilliseconds = 300_000

/** A hypervisor makes a device, puts it on the bridge and turns it on; after this time it will not any more. */
const makingMilliseconds = 10_000

/** Of what the server is asked: everything, what changed, or what changed of the host's own. */
type Question = 'whole' | 'all' | 'own'

interface Due {
  ask: Exclude<Question, 'whole'> | undefined
  /** To be followed, unless an answer that is on its way knows more. */
  heard: (Changed & { news: News })[]
  compare: boolean
  devices: boolean
  taps: Set<string>
}

const nothingDue = (): Due => ({ ask: undefined, heard: [], compare: false, devices: false, taps: new Set() })

export function syncPorts(deps: SyncDeps): SyncPorts {
  const { server, host, hostName, options, log, clock } = deps
  const state = new WantedState()
  const filter = new PortFilter(deps, state)
  const devices = new Devices(deps, state)
  const reports = createPortReports(deps)
  /** Tap devices of the ports, so that the kernel's word of one finds its port. */
  const taps = new Map<string, string>()
  const wired = new Set<string>()
  /** Devices that are on no bridge and off, and since when. */
  const unfinished = new Map<string, number>()
  const status: SyncStatus = { devices: 0 }
  let due = nothingDue()
  let comparedAt = Number.NEGATIVE_INFINITY
  let wholeAt = Number.NEGATIVE_INFINITY
  /** The host is as what is on record says. */
  let sound = false
  let asking = false

  async function run(): Promise<void> {
    const now = clock.now()
    const mine = due
    due = nothingDue()
    const woken = mine.ask !== undefined || mine.heard.length > 0 || mine.devices || mine.taps.size > 0
    const follow = woken && sound
    const compare = mine.compare || !follow || now - comparedAt >= compareMilliseconds
    sound = false
    const question = compare ? 'all' : mine.ask
    const difference = noDifference()
    if (question !== undefined) addDifference(difference, await ask(question))
    await hear(mine.heard, difference)
    // A guest that starts does not wait for the comparison of everything that happens to be due.
    if (follow) await syncChanges(difference, mine)
    if (compare) await syncAll()
    await filter.endConnections()
    if (compare) comparedAt = now
    sound = true
  }

  async function ask(wanted: Exclude<Question, 'whole'>): Promise<Difference> {
    await filter.prepare()
    asking = true
    const question: Question = clock.now() - wholeAt >= wholeMilliseconds ? 'whole' : wanted
    const own = question === 'own'
    const since = { whole: null, all: state.revision, own: state.ownRevision }
    try {
      const asked = { host: hostName, revision: since[question], known: state.known(), own }
      const answer = await server.wantedL2(asked)
      if (answer.whole) wholeAt = clock.now()
      const difference = state.apply(answer, own)
      for (const port of answer.ports) reports.forget(port.id)
      for (const id of difference.ports) {
        if (state.ports.has(id)) taps.set(tapName(id), id)
        else {
          taps.delete(tapName(id))
          unfinished.delete(tapName(id))
          wired.delete(id)
          reports.forget(id)
        }
      }
      note(difference)
      return difference
    } finally {
      asking = false
    }
  }

  /** Follows what the server told, and asks where that is not enough; adds what it changed. */
  async function hear(heard: Due['heard'], difference: Difference): Promise<void> {
    for (const changed of heard) {
      const standing = state.standing(changed.news, hostName)
      // What is answered now is newer than all that was heard.
      if (standing === 'missed' && state.concerns(changed)) addDifference(difference, await ask('all'))
      if (standing === 'ask') addDifference(difference, await ask('own'))
      if (state.standing(changed.news, hostName) !== 'next') continue
      const told = state.follow(changed.news, hostName)
      note(told)
      addDifference(difference, told)
    }
  }

  function note(difference: Difference): void {
    devices.note(difference)
    filter.note(difference)
  }

  /** True when the next run has something to do for it. */
  function isForLater(changed: Changed & { news: News }): boolean {
    // What the answer that is on its way brings is not known yet, nor what waits to be followed.
    if (!asking && due.heard.length === 0) {
      const standing = state.standing(changed.news, hostName)
      if (standing === 'known' || (standing === 'missed' && !state.concerns(changed))) return false
      if (standing === 'next' && !state.isTouchedBy(changed.news)) {
        state.follow(changed.news, hostName)
        return false
      }
    }
    due.heard.push(changed)
    return true
  }

  async function syncAll(): Promise<void> {
    const results = await Promise.allSettled([
      devices.compare().then(() => devices.compareForwarding()),
      filter.compare(),
    ])
    await syncTaps(results[1], [...state.ports.values()])
    throwFailures(results)
  }

  async function syncChanges(difference: Difference, mine: Due): Promise<void> {
    const { networks } = difference
    const results = await Promise.allSettled([syncDevices(difference, mine), filter.apply()])
    const ids = new Set([...difference.ports, ...mine.taps].map((id) => taps.get(id) ?? id))
    for (const id of networks) for (const port of state.portsOfNetwork(id)) ids.add(port)
    await syncTaps(
      results[1],
      [...ids].flatMap((id) => state.ports.get(id) ?? []),
    )
    throwFailures(results)
  }

  async function syncDevices(difference: Difference, mine: Due): Promise<void> {
    const changed = difference.networks.size > 0
    if (changed || mine.devices || (mine.taps.size > 0 && devices.outstaying)) await devices.compare()
    if (changed) await devices.compareForwarding()
    else await devices.changeForwarding(difference.remotePorts.map((change) => change.networkId))
  }

  // Without its rules a guest's device is not let onto the bridge, and its port is not reported to be up.
  async function syncTaps(rules: PromiseSettledResult<void>, ports: readonly WantedPort[]): Promise<void> {
    if (rules.status === 'rejected' || ports.length === 0) return
    const there = await host.portDevices(ports.map((port) => tapName(port.id)))
    const bridge = (network: Parameters<typeof bridgeOf>[0]) => bridgeOf(network, options)
    const plan = planTaps(ports, state.networks, there, bridge, devices.problems, isBeingMade)
    try {
      if (plan.changes.length > 0) await host.changeLinks(plan.changes)
    } catch (error) {
      // A guest that ended meanwhile: the kernel's word of it starts the next run.
      log.warn({ error: describeError(error), changes: plan.changes }, 'devices of guests could not be wired')
      plan.wired = []
    }
    await reports.send(plan.wired, plan.unwired)
    for (const port of plan.wired) wired.add(port.id)
    for (const port of plan.unwired) wired.delete(port.id)
    status.devices = wired.size
  }

  function isBeingMade({ name, master, up }: PortDevice): boolean {
    if (master !== null || up) {
      unfinished.delete(name)
      return false
    }
    const since = unfinished.get(name) ?? clock.now()
    unfinished.set(name, since)
    return clock.now() - since < makingMilliseconds
  }

  return {
    task: { name: 'sync-ports', everySeconds: 60, retrySeconds: 2, run },
    status,
    changed(changed) {
      const { news } = changed
      if (news !== undefined) return isForLater({ ...changed, news })
      const nothingNamed = Object.keys(changed).length === 0
      const ofOthers = changed.tunnelled !== undefined || changed.remoteGroups !== undefined
      const concerns =
        // What the answer that is on its way brings is not known yet.
        asking || nothingNamed || changed.hosts?.includes(hostName) === true || state.concerns(changed)
      if (concerns) due.ask = nothingNamed || ofOthers ? 'all' : (due.ask ?? 'own')
      return concerns
    },
    tapChanged(name) {
      const concerns = taps.has(name) || devices.outstaying
      if (concerns) due.taps.add(name)
      return concerns
    },
    deviceChanged: () => {
      due.devices = true
    },
    compareAll: () => {
      due.compare = true
    },
  }
}

function throwFailures(results: readonly PromiseSettledResult<void>[]): void {
  const reasons = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  )
  if (reasons.length === 1) throw reasons[0]
  if (reasons.length > 1) throw new AggregateError(reasons, reasons.map(describeError).join('; '))
}
