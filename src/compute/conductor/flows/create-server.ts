/** From a build request to a running guest. */
import type { Kysely } from 'kysely'
import { timestamp } from '../../../base/clock.ts'
import { inTransaction } from '../../../base/db/transaction.ts'
import { describeError, Fault, isFault } from '../../../base/errors.ts'
import { flow, RetryFrom, type StepContext } from '../../../base/flow/flow.ts'
import { configDriveFiles } from '../../metadata/config-drive.ts'
import { factsOf } from '../../metadata/find-facts.ts'
import { finishAction } from '../../store/actions.ts'
import type { ApiTables } from '../../store/api-tables.ts'
import { findBuildRequest, getOrder } from '../../store/build-requests.ts'
import { updateInstance } from '../../store/instance-changes.ts'
import { withParts } from '../../store/instance-parts.ts'
import { findInstanceRow } from '../../store/instances.ts'
import type { CachedInterface } from '../../store/network-info.ts'
import { getRequestSpec } from '../../store/request-specs.ts'
import { powerStateNumber } from '../../virt/driver.ts'
import { abortable } from '../abortable.ts'
import type { ConductorDeps } from '../deps.ts'
import { destroyGuest } from '../destroy-guest.ts'
import { guestOf, hasConfigDrive } from '../guest.ts'
import { cacheInterfaces } from '../network-info.ts'
import { attachPorts, detachPorts, ownPortsOf } from '../ports.ts'
import { buryInstance, forgetHalfRecorded, type Recorded, recordInstance } from '../record-instance.ts'
import { enterTask, saveInterfaces } from '../tasks-of-instance.ts'

interface Input {
  uuid: string
  requestId: string
  /** Hosts that were tried, and why the last one failed. */
  triedHosts?: string[]
  lastError?: string
}

const event = 'compute__do_build_and_run_instance'

export const createServer = flow<Input, ConductorDeps>('create-server')
  .step({
    name: 'choose host',
    // What is claimed is found again by the server's id, and so is what was recorded where it is claimed.
    unsaved: true,
    run: async ({ uuid, triedHosts = [], lastError }, deps, context) => {
      const { cells, scheduler } = deps
      if (context.again) await forgetHalfRecorded(deps, { uuid, cellId: undefined })
      const { spec } = await orderOf(deps, uuid, context)
      try {
        const selection = await scheduler.select(spec, triedHosts)
        await cells.ensure(selection.cellId)
        return selection
      } catch (error) {
        if (lastError === undefined) throw error
        throw new Fault('unavailable', `${lastError} No other host: ${describeError(error)}`, {}, error)
      }
    },
    undo: async ({ uuid }, { placement, scheduler }) => {
      scheduler.forget(uuid)
      await placement.deleteAllocations(uuid)
    },
  })
  // Before anything is made for the instance: from here on it is found, and cleaned up, by its record.
  .step({
    name: 'record the instance',
    // Written to two databases: either may be lost in between.
    retries: 4,
    run: async (values, deps, context) => {
      const { uuid, triedHosts } = values
      const order = await orderOf(deps, uuid, context)
      // As it was read when the host was chosen, unless this may have taken it since.
      const isRead = !context.again && triedHosts === undefined
      const made = isRead ? order.made : await findBuildRequest(deps.apiDb, uuid)
      const finish = (transaction: Kysely<ApiTables>, given: Recorded) => context.finish(transaction, given)
      const recording = recordInstance(deps, values, { spec: order.spec, made }, finish)
      return await recording.catch((error: unknown) => {
        throw isFault(error, 'unavailable') && error.details['groupPolicy'] === true
          ? onAnotherHost(values, deps, error)
          : error
      })
    },
    undo: ({ uuid, cellId }, deps) => forgetHalfRecorded(deps, { uuid, cellId }),
  })
  .step({
    name: 'connect networks',
    // The ports are found again by the server's id.
    unsaved: true,
    run: async (values, deps, context) => {
      const { uuid, cellId } = values
      const { db } = deps.cells.byId(cellId)
      const built = context.again ? await findInstanceRow(db, uuid) : undefined
      // Whoever died came to the end: the guest, and what its owner did to it since, stays.
      if (built !== undefined && built.vm_state !== 'building') return { isBuilt: true, networkInfo: [] }
      const { spec } = await orderOf(deps, uuid, context)
      const ports = await attachPorts(deps.network, spec, values, context.again).catch((error: unknown) => {
        // Another host may do where this one cannot be wired; a port that is taken is taken everywhere.
        throw isFault(error, 'unavailable') ? elsewhere(values, deps, error) : error
      })
      const requested = Array.isArray(spec.networks) ? spec.networks : []
      const info = cacheInterfaces(await deps.networks.interfacesOf(ports), requested)
      await saveInterfaces(db, uuid, info, 'block_device_mapping')
      return { isBuilt: false, networkInfo: info }
    },
    undo: async ({ uuid, cellId }, { apiDb, cells, network }) => {
      await detachPorts(network, uuid, ownPortsOf(await getRequestSpec(apiDb, uuid)))
      await saveInterfaces(cells.byId(cellId).db, uuid, [], null)
    },
  })
  .step({
    name: 'spawn',
    // Spawned again, a guest takes the place of one that nobody was shown yet.
    unsaved: true,
    run: async (values, deps, context) => {
      if (values.isBuilt) return {}
      try {
        const startedAt = timestamp()
        const power = await spawn(values, deps, context)
        deps.scheduler.noteBuild(values.host, true)
        return { power, startedAt }
      } catch (error) {
        throw context.signal.aborted ? error : elsewhere(values, deps, error)
      }
    },
    undo: (values, deps) => destroyGuest(deps, values),
  })
  .step({
    name: 'activate',
    run: async ({ uuid, requestId, actionId, cellId, host, power, startedAt }, { cells, scheduler }) => {
      scheduler.forget(uuid)
      if (power === undefined || startedAt === undefined) return
      const { db } = cells.byId(cellId)
      await inTransaction(db, async (transaction) => {
        const active = {
          vm_state: 'active',
          task_state: null,
          power_state: powerStateNumber[power],
          launched_at: timestamp(),
          launched_on: host,
          progress: 100,
        }
        if (!(await enterTask(transaction, uuid, active))) return
        const at = { instanceUuid: uuid, requestId, actionId }
        await finishAction(transaction, at, { event, startTime: startedAt, host })
      })
    },
  })
  .onFailure(async ({ uuid, requestId, cellId, host }, deps, error) => {
    const failure = { uuid, requestId, event, host: host ?? null, error }
    if (error.kind === 'gone') {
      // Whoever cancelled it goes on with the record.
      if (cellId !== undefined)
        await updateInstance(deps.cells.byId(cellId).db, uuid, { host: null, node: null })
    } else await buryInstance(deps, failure)
  })

/** A build that failed on its host is tried on another, so many times. */
function elsewhere(values: Input & { host: string }, deps: ConductorDeps, error: unknown): Error {
  deps.scheduler.noteBuild(values.host, false)
  return onAnotherHost(values, deps, error)
}

function onAnotherHost(
  { uuid, host, triedHosts = [] }: Input & { host: string },
  { config }: ConductorDeps,
  error: unknown,
): Error {
  const lastError = `Build of instance ${uuid} on host ${host} failed: ${describeError(error)}`
  const tried = [...triedHosts, host]
  if (tried.length < config.maxAttempts) {
    return new RetryFrom('choose host', { triedHosts: tried, lastError }, error)
  }
  return new Fault('unavailable', `Exceeded maximum number of retries. ${lastError}`, {}, error)
}

const orderOf = ({ apiDb }: ConductorDeps, uuid: string, { remember }: StepContext) =>
  remember('order', () => getOrder(apiDb, uuid))

interface Connected {
  uuid: string
  cellId: number
  host: string
  networkInfo: CachedInterface[]
  /** Of the record, as it was made; it is read where that is not known. */
  number?: number
}

async function spawn(connected: Connected, deps: ConductorDeps, context: StepContext) {
  const { uuid, cellId, host, networkInfo } = connected
  const { vifs, config, network } = deps
  const agents = deps.agents(cellId)
  const { signal, again } = context
  // Clients expect to see each task in turn, whether or not it takes long.
  await enterTask(deps.cells.byId(cellId).db, uuid, { task_state: 'spawning' })
  const guest = await newGuest(connected, deps, context)
  const unwired = networkInfo.filter((vif) => !vif.active && vif.type !== 'unbound').map((vif) => vif.id)
  const waits = unwired.length > 0 && config.vifPluggingTimeoutSeconds > 0
  signal.throwIfAborted()
  const spawned = await abortable(agents.spawn({ guest, paused: waits }, { server: host }), signal)
  if (!waits) return spawned.power
  const look = async (ids: string[]) =>
    (await network.listPorts({ ids })).filter((port) => port.status === 'ACTIVE').map((port) => port.id)
  const timeoutSeconds = config.vifPluggingTimeoutSeconds
  try {
    await vifs.wait(unwired, { timeoutSeconds, signal, look, again })
  } catch (error) {
    if (signal.aborted || config.vifPluggingIsFatal) throw error
    deps.log.warn({ err: error, uuid }, 'the guest runs although its ports are not wired')
  }
  return (await agents.release({ uuid }, { server: host })).power
}

async function newGuest(connected: Connected, deps: ConductorDeps, context: StepContext) {
  const { uuid, cellId, networkInfo, number } = connected
  const cell = deps.cells.byId(cellId)
  const { spec, made } = await orderOf(deps, uuid, context)
  // What a guest is made of does not change while it is built, but for its name, which it takes as it was asked for.
  const asked = number === undefined || made === undefined ? undefined : { ...made.row, id: number }
  if (asked !== undefined && !hasConfigDrive(asked, deps.config.forceConfigDrive))
    return guestOf({ ...asked, flavor: spec.flavor, networkInfo }, spec, null)
  const row = await findInstanceRow(cell.db, uuid)
  if (row === undefined) throw new Fault('gone', `Instance ${uuid} is gone.`)
  const parts = { ...row, flavor: spec.flavor, networkInfo }
  if (!hasConfigDrive(row, deps.config.forceConfigDrive)) return guestOf(parts, spec, null)
  const whole = (await withParts(cell, [row]))[0]!
  const facts = factsOf(whole, await deps.network.networksOf(uuid), ['default'])
  return guestOf(parts, spec, configDriveFiles(facts))
}
