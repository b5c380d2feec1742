/** Guests that wait until Network has wired their ports: an event of Network lets them run. */
import { sleep } from '../../base/clock.ts'
import { Fault, isFault } from '../../base/errors.ts'

export interface VifWaits {
  /** An event `network-vif-plugged` came. */
  plugged(portId: string, succeeded: boolean): void
  /** Resolves when all these ports are plugged. */
  wait(portIds: readonly string[], options: WaitOptions): Promise<void>
}

interface WaitOptions {
  timeoutSeconds: number
  signal: AbortSignal
  /** Those of the ports that Network knows to be plugged. A Network that is away does not end the wait. */
  look(portIds: string[]): Promise<string[]>
  /** The events may be over: look before waiting. */
  again: boolean
}

/** Events are remembered for those that begin to wait a moment later. */
const remembered = 10_000
const firstLookMilliseconds = 1000
/** A lost event costs no more than this. */
const longestLookMilliseconds = 10_000
const over = new Error('all ports are plugged')

export function createVifWaits(): VifWaits {
  const early = new Map<string, boolean>()
  const waiting = new Map<string, (succeeded: boolean) => void>()
  return {
    plugged(portId, succeeded) {
      const tell = waiting.get(portId)
      if (tell !== undefined) return tell(succeeded)
      if (early.size >= remembered) early.delete(early.keys().next().value!)
      early.set(portId, succeeded)
    },
    async wait(portIds, { timeoutSeconds, signal, look, again }) {
      const missing = new Set(portIds)
      const failed: string[] = []
      const all = Promise.withResolvers<void>()
      const note = (portId: string, succeeded: boolean): void => {
        if (!missing.delete(portId)) return
        waiting.delete(portId)
        if (!succeeded) failed.push(portId)
        if (missing.size === 0) all.resolve()
      }
      for (const portId of portIds) {
        const known = early.get(portId)
        early.delete(portId)
        if (known === undefined) waiting.set(portId, (succeeded) => note(portId, succeeded))
        else note(portId, known)
      }
      const lookNow = async (): Promise<void> => {
        if (missing.size === 0) return
        for (const portId of await look([...missing]).catch(noneWhileAway)) note(portId, true)
      }
      if (again) await lookNow()
      const stop = new AbortController()
      try {
        if (missing.size > 0) {
          const looking = lookAround(missing, lookNow, timeoutSeconds, AbortSignal.any([signal, stop.signal]))
          await Promise.race([all.promise, looking])
        }
      } finally {
        // A reason of its own: without one each abort would make an exception with its stack.
        stop.abort(over)
        for (const portId of missing) waiting.delete(portId)
      }
      if (failed.length > 0) {
        throw new Fault('unavailable', `Network could not wire the ports ${failed.join(', ')}.`, {
          ports: failed,
        })
      }
    },
  }
}

function noneWhileAway(error: unknown): string[] {
  if (isFault(error, 'unavailable')) return []
  throw error
}

// The event may be lost with a process that died: Network is asked now and then, at first often.
async function lookAround(
  missing: ReadonlySet<string>,
  lookNow: () => Promise<void>,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const end = Date.now() + timeoutSeconds * 1000
  let pause = firstLookMilliseconds
  while (missing.size > 0) {
    const left = end - Date.now()
    if (left <= 0) {
      const ports = [...missing].join(', ')
      throw new Fault(
        'unavailable',
        `Network did not wire the ports ${ports} within ${timeoutSeconds} seconds. Is the L2 agent of the host alive?`,
        { ports: [...missing], timedOut: true },
      )
    }
    await sleep(Math.min(pause, left), signal).catch((error: unknown) => {
      if (missing.size > 0) throw error
    })
    pause = Math.min(pause * 2, longestLookMilliseconds)
    await lookNow()
  }
}
