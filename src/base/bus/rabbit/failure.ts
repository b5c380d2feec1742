/**
 * Errors across the wire: oslo.messaging's `failure`, a JSON text with the class, module and message of an exception.
 * A Fault keeps its kind and details in `kwargs`, which Python's RemoteError leaves alone.
 */
import { describeError, Fault, type FaultKind } from '../../errors.ts'

interface Failure {
  class: string
  module: string
  message: string
  args: readonly unknown[]
  kwargs: Record<string, unknown>
  tb: readonly string[]
}

const ownModule = 'kilonova'

/** What the caller is told; no stack trace leaves the process. */
export function writeFailure(error: unknown): string {
  const fault = error instanceof Fault ? error : new Fault('bug', describeError(error))
  const cause = fault.cause === undefined ? {} : { cause: describeError(fault.cause) }
  const failure: Failure = {
    class: 'Fault',
    module: ownModule,
    message: fault.message,
    args: [fault.message],
    kwargs: { kind: fault.kind, details: fault.details, ...cause },
    tb: [],
  }
  return JSON.stringify(failure)
}

/** The Fault that another Kilonova process threw, or what comes nearest to a Python exception. */
export function readFailure(text: string): Fault {
  const failure = parse(text)
  const { kind, details, cause } = failure.kwargs
  if (failure.module === ownModule) {
    const reason = cause === undefined ? undefined : new Error(String(cause))
    return new Fault(
      (kind ?? 'bug') as FaultKind,
      failure.message,
      (details ?? {}) as Record<string, unknown>,
      reason,
    )
  }
  const name = failure.class.replace(/_Remote$/, '')
  const exception = `${failure.module.replace(/_Remote$/, '')}.${name}`
  return new Fault(kindOf(name), failure.message || name, { ...failure.kwargs, exception })
}

function parse(text: string): Failure {
  const nothing = { class: 'Exception', module: '', message: text, args: [], kwargs: {}, tb: [] }
  try {
    return { ...nothing, ...(JSON.parse(text) as Partial<Failure>) }
  } catch {
    return nothing
  }
}

/** OpenStack's exceptions say in their names what they are; the first that fits counts. */
const kindsByName: readonly (readonly [RegExp, FaultKind])[] = [
  [/NotFound/, 'not-found'],
  [/Quota|TooMany|NoMoreNetworks|NoMoreFixedIps/, 'over-quota'],
  [/Forbidden|NotAuthorized|PolicyNotAuthorized|Denied/, 'forbidden'],
  [/Unauthorized/, 'unauthenticated'],
  [/NoSuchMethod|UnsupportedVersion|NotImplemented|NotSupported/, 'not-implemented'],
  [/Timeout|Unavailable|ConnectionFailed|HypervisorUnavailable|MessageDeliveryFailure/, 'unavailable'],
  [/Conflict|InUse|Exists|Duplicate|InvalidState|InstanceNotReady|Busy|IsLocked/, 'conflict'],
  [/Invalid|BadRequest|Malformed|ValidationError|ValueError/, 'invalid'],
]

const kindOf = (name: string): FaultKind => kindsByName.find(([pattern]) => pattern.test(name))?.[1] ?? 'bug'
