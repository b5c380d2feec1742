/** Start, stop, reboot, pause and the like: one thing done by the agent of the server's host. */
import { timestamp } from '../../../base/clock.ts'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import { flow } from '../../../base/flow/flow.ts'
import { configDriveFiles } from '../../metadata/config-drive.ts'
import { factsOf } from '../../metadata/find-facts.ts'
import { type OperationName, operations } from '../../rpc/operations.ts'
import { finishAction } from '../../store/actions.ts'
import { moveInstance } from '../../store/instance-changes.ts'
import { findInstanceMapping } from '../../store/instance-mappings.ts'
import type { Instance } from '../../store/instance-records.ts'
import { findInCell } from '../../store/instances.ts'
import { getRequestSpec } from '../../store/request-specs.ts'
import { powerStateNumber } from '../../virt/driver.ts'
import { abortable } from '../abortable.ts'
import type { ConductorDeps } from '../deps.ts'
import { guestOf, hasConfigDrive } from '../guest.ts'
import { writeFailure } from '../record-instance.ts'

interface Input {
  uuid: string
  operation: OperationName
  requestId: string
}

/** What the server is once the operation succeeded. */
const vmStateAfter: Record<OperationName, string> = {
  start: 'active',
  stop: 'stopped',
  'reboot-soft': 'active',
  'reboot-hard': 'active',
  pause: 'paused',
  unpause: 'active',
  suspend: 'suspended',
  resume: 'active',
}

/** Names that the task goes by once the agent has it. */
const taskUnderWay: Partial<Record<OperationName, string>> = {
  'reboot-soft': 'reboot_started',
  'reboot-hard': 'reboot_started_hard',
}

export const operateServer = flow<Input, ConductorDeps>('operate-server')
  .step({
    name: 'ask the agent',
    run: async ({ uuid, operation }, deps, { signal }) => {
      const instance = await findLiving(deps, uuid)
      const host = instance.host
      const cellId = instance.cell!.id
      const startedAt = timestamp()
      if (host === null) throw new Fault('conflict', `Instance ${uuid} is on no host.`)
      if (!(await deps.directory.isUp(host))) {
        throw new Fault('unavailable', `The compute service of host ${host} is down.`, { host })
      }
      const task = taskUnderWay[operation]
      if (task !== undefined) {
        const from = { taskStates: tasksOf(operation) }
        await moveInstance(instance.cell!.db, uuid, from, { task_state: task })
      }
      const power = await abortable(askAgent(deps, instance, operation, host), signal)
      return { power, host, cellId, startedAt }
    },
  })
  .step({
    name: 'write the outcome',
    run: async ({ uuid, operation, requestId, power, host, cellId, startedAt }, { cells }) => {
      const { db } = cells.byId(cellId)
      await inTransaction(db, async (transaction) => {
        const changes = {
          vm_state: vmStateAfter[operation],
          task_state: null,
          power_state: powerStateNumber[power],
        }
        await moveInstance(transaction, uuid, { taskStates: tasksOf(operation) }, changes)
        const { event } = operations[operation]
        await finishAction(
          transaction,
          { instanceUuid: uuid, requestId },
          { event, startTime: startedAt, host },
        )
      })
    },
  })
  .onFailure(async ({ uuid, operation, requestId, host }, deps, error) => {
    const cellId = (await findInstanceMapping(deps.apiDb, uuid))?.cell_id
    if (cellId == null) return
    const { event } = operations[operation]
    const at = { instanceUuid: uuid, requestId }
    await inTransaction(deps.cells.byId(cellId).db, async (transaction) => {
      await moveInstance(transaction, uuid, { taskStates: tasksOf(operation) }, { task_state: null })
      const finished = { event, startTime: timestamp(), host: host ?? null, error: error.message }
      await finishAction(transaction, at, finished)
      if (error.kind !== 'gone') {
        await writeFailure(transaction, { uuid, requestId, event, host: host ?? null, error })
      }
    })
  })

const tasksOf = (operation: OperationName): (string | null)[] => [
  operations[operation].taskState,
  taskUnderWay[operation] ?? operations[operation].taskState,
]

async function findLiving({ apiDb, cells }: ConductorDeps, uuid: string): Promise<Instance> {
  const cellId = (await findInstanceMapping(apiDb, uuid))?.cell_id
  const instance = cellId == null ? undefined : await findInCell(cells.byId(cellId), uuid)
  if (instance === undefined) throw new Fault('gone', `Instance ${uuid} is gone.`)
  return instance
}

async function askAgent(deps: ConductorDeps, instance: Instance, operation: OperationName, host: string) {
  const { config } = deps
  const agents = deps.agents(instance.cell!.id)
  const { uuid } = instance
  const server = { server: host }
  const guest = async () => {
    const spec = await getRequestSpec(deps.apiDb, uuid)
    if (!hasConfigDrive(instance, config.forceConfigDrive)) return guestOf(instance, spec, null)
    const facts = factsOf(instance, await deps.network.networksOf(uuid), ['default'])
    return guestOf(instance, spec, configDriveFiles(facts))
  }
  const timeoutSeconds = config.shutdownTimeoutSeconds
  const ask = async () => {
    switch (operation) {
      case 'start':
        return await agents.start({ guest: await guest() }, server)
      case 'stop':
        return await agents.stop({ uuid, timeoutSeconds }, server)
      case 'reboot-soft':
      case 'reboot-hard':
        return await agents.reboot(
          { guest: await guest(), hard: operation === 'reboot-hard', timeoutSeconds },
          server,
        )
      case 'pause':
        return await agents.pause({ uuid }, server)
      case 'unpause':
        return await agents.unpause({ uuid }, server)
      case 'suspend':
        return await agents.suspend({ uuid }, server)
      case 'resume':
        return await agents.resume({ guest: await guest() }, server)
    }
  }
  return (await ask()).power
}
