/** What went wrong, in words a caller can act on. It knows nothing of HTTP; `base/http/status.ts` maps it. */
export type FaultKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'conflict'
  | 'gone'
  | 'precondition-failed'
  | 'too-large'
  | 'unsupported-media'
  | 'locked'
  | 'over-quota'
  | 'not-implemented'
  | 'unavailable'
  | 'bug'

/**
 * The one error class of the project. `message` is a sentence for the user; `details` are data for views and logs
 * (neutron's `type`, a placement error `code`, the id of the thing); `cause` is what led to it.
 */
export class Fault extends Error {
  readonly kind: FaultKind
  readonly details: Readonly<Record<string, unknown>>

  constructor(kind: FaultKind, message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Fault'
    this.kind = kind
    this.details = details
  }
}

/** `throw notFound('Port', id)`: "Port <id> could not be found." */
export function notFound(what: string, id: string): Fault {
  return new Fault('not-found', `${what} ${id} could not be found.`, { what, id })
}

/** True when `error` is a Fault, of that kind when one is given. */
export function isFault(error: unknown, kind?: FaultKind): error is Fault {
  return error instanceof Fault && (kind === undefined || error.kind === kind)
}

/** The message of anything thrown, with its causes: "libvirt does not answer: connect ENOENT /run/…". */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause === undefined) return error.message
  return `${error.message.replace(/\.$/, '')}: ${describeError(error.cause)}`
}
