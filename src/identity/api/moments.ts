import { type Clock, timestamp } from '#base/clock.ts'
import { Fault } from '#base/errors.ts'

/**
 * Reads a caller's `expires_at`, which is UTC with or without saying so, and must lie ahead. It is kept with the
 * microseconds that it was given with, as `2026-11-23T12:00:00.123456Z`.
 */
export function parseExpiry(text: string | null | undefined, clock: Clock): string | null {
  if (text === null || text === undefined) return null
  const zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(moment)) {
    throw new Fault(
      'invalid',
      'Timestamp not in expected format. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.',
    )
  }
  const seconds = new Date(moment).toISOString()
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? ''
  if (seconds > timestamp(clock)) return `${seconds.slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`
  throw new Fault(
    'invalid',
    "The 'expires_at' must not be before now. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.",
  )
}
