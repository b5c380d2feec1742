/** Time as a dependency, so that tests of expiry need not wait. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** `2026-11-23T22:10:05.123Z`: how every timestamp is stored; it sorts as text. */
export const timestamp = (clock: Clock = systemClock): string => new Date(clock.now()).toISOString()

/** `2026-11-23T22:10:05Z`: how nova and glance show a stored timestamp. */
export const showSeconds = (stored: string): string => `${stored.slice(0, 19)}Z`

/** `2026-11-23T22:10:05.000000`: nova's services, actions and other internal records. */
export const showMicroseconds = (stored: string): string => `${stored.slice(0, 19)}.000000`

/** The last moment of a second that a stored timestamp names without a fraction: nova shows whole seconds only. */
export const throughSecond = (stored: string): string => stored.replace('.000Z', '.999Z')

/** Resolves after so many milliseconds, or rejects when the signal aborts. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, milliseconds)
    function done() {
      signal?.removeEventListener('abort', aborted)
      resolve()
    }
    function aborted() {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    if (signal?.aborted) aborted()
    else signal?.addEventListener('abort', aborted, { once: true })
  })
}
