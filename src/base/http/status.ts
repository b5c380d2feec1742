import type { FaultKind } from '../errors.ts'

/** The HTTP status of each kind of fault; a service's `api/faults.ts` overrides where OpenStack's services differ. */
export const statusOf: Readonly<Record<FaultKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  conflict: 409,
  gone: 410,
  'precondition-failed': 412,
  'too-large': 413,
  'unsupported-media': 415,
  locked: 423,
  'over-quota': 403,
  'not-implemented': 501,
  unavailable: 503,
  bug: 500,
}
