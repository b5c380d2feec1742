/** Waiting for a guest to stop, by libvirt's events. */
import { sleep } from '../../../base/clock.ts'
import type { LifecycleEvent, PowerState } from '../driver.ts'

export class PowerWatch {
  readonly #last = new Map<string, PowerState>()
  readonly #waiting = new Map<string, Set<() => void>>()

  /** Takes note of a guest's state; false when it was known. */
  note({ uuid, power }: LifecycleEvent): boolean {
    const news = this.#last.get(uuid) !== power
    this.#last.set(uuid, power)
    for (const wake of this.#waiting.get(uuid) ?? []) wake()
    return news
  }

  forget(uuid: string): void {
    this.#last.delete(uuid)
  }

  /** Resolves at the guest's next event, or after so many milliseconds at the latest. */
  async nextEvent(uuid: string, milliseconds: number): Promise<void> {
    const event = Promise.withResolvers<void>()
    const waiting = this.#waiting.get(uuid) ?? new Set()
    const timer = new AbortController()
    this.#waiting.set(uuid, waiting.add(event.resolve))
    try {
      // The only rejection is our own abort, after the race is over.
      const timeout = sleep(milliseconds, timer.signal).catch(() => undefined)
      await Promise.race([event.promise, timeout])
    } finally {
      timer.abort()
      waiting.delete(event.resolve)
      if (waiting.size === 0) this.#waiting.delete(uuid)
    }
  }
}
