/** What the agent of one host does when it is asked. */
import type { RpcHandlers } from '../../base/bus/rpc.ts'
import { describeError, Fault } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { inOrder } from '../../base/task/in-order.ts'
import type { agentRpc } from '../rpc/agent.ts'
import type { Driver, ImageSource, PowerState } from '../virt/driver.ts'
import { buildSlots } from './build-slots.ts'

export interface AgentHost {
  /** Its name as compute and network know it. */
  host: string
  driver: Driver
  hostIp: string
}

export function agentHandlers(
  { host, driver }: AgentHost,
  options: {
    images: ImageSource
    concurrentBuilds: number
    log: Logger
    /** A guest that is no more could not be ended: it must be looked for again. */
    onLeftover: () => void
  },
): RpcHandlers<typeof agentRpc.methods> {
  const { images, log, onLeftover } = options
  // What a dead conductor asked for may still be under way.
  const ordered = inOrder()
  const inSlot = buildSlots(options.concurrentBuilds)

  /** Runs work on a guest after what is under way with it, and tells the power state that it led to. */
  const act = (uuid: string, what: string, work: () => Promise<void>): Promise<{ power: PowerState }> =>
    ordered(uuid, async () => {
      log.debug({ host, uuid, what }, 'asked for')
      await work()
      const state = await driver.guestState(uuid)
      if (state === undefined) throw new Fault('not-found', `Host ${host} has no guest for instance ${uuid}.`)
      return { power: state.power }
    })

  const destroy = (uuid: string): Promise<void> => ordered(uuid, () => driver.destroy(uuid))

  return {
    spawn: ({ guest, paused }) =>
      act(guest.uuid, 'spawn', () => inSlot(() => driver.spawn(guest, images, { paused }))),
    release: ({ uuid }) => act(uuid, 'release', () => driver.resume(uuid)),
    async destroy({ uuid }) {
      await destroy(uuid)
      return {}
    },
    async reap({ uuid }) {
      log.info({ host, uuid }, 'a guest that was given up while this host was away is ended')
      await destroy(uuid).catch((error: unknown) => {
        log.warn(
          { host, uuid, reason: describeError(error) },
          'a guest could not be ended; it is tried again',
        )
        onLeftover()
      })
    },
    start: ({ guest }) => act(guest.uuid, 'start', () => driver.powerOn(guest)),
    stop: ({ uuid, timeoutSeconds }) => act(uuid, 'stop', () => driver.powerOff(uuid, { timeoutSeconds })),
    reboot: ({ guest, hard, timeoutSeconds }) =>
      act(guest.uuid, 'reboot', () => driver.reboot(guest, { hard, timeoutSeconds })),
    pause: ({ uuid }) => act(uuid, 'pause', () => driver.pause(uuid)),
    unpause: ({ uuid }) => act(uuid, 'unpause', () => driver.unpause(uuid)),
    suspend: ({ uuid }) => act(uuid, 'suspend', () => driver.suspend(uuid)),
    resume: ({ guest }) => act(guest.uuid, 'resume', () => driver.resumeSuspended(guest)),
    powerState: ({ uuid }) =>
      ordered(uuid, async () => ({ power: (await driver.guestState(uuid))?.power ?? null })),
    consoleOutput: async ({ uuid }) => ({ output: await driver.consoleOutput(uuid) }),
  }
}
