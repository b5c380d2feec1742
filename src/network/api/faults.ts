import type { Fault } from '../../base/errors.ts'
import type { FaultReply } from '../../base/http/serve.ts'
import { statusOf } from '../../base/http/status.ts'

/** Neutron's names for faults that come from below the API. */
const typeOf: Readonly<Partial<Record<Fault['kind'], string>>> = {
  invalid: 'HTTPBadRequest',
  forbidden: 'PolicyNotAuthorized',
  'not-found': 'HTTPNotFound',
  'method-not-allowed': 'HTTPMethodNotAllowed',
  'too-large': 'HTTPRequestEntityTooLarge',
  'unsupported-media': 'HTTPUnsupportedMediaType',
  'not-implemented': 'HTTPNotImplemented',
  conflict: 'Conflict',
  'over-quota': 'OverQuota',
  'precondition-failed': 'HTTPPreconditionFailed',
  unavailable: 'ServiceUnavailable',
}

/** `{"NeutronError": {"type", "message", "detail"}}`, and for a missing token what keystone's middleware says. */
export function renderFault(fault: Fault): FaultReply {
  if (fault.kind === 'unauthenticated') {
    return { status: 401, body: { error: { code: 401, title: 'Unauthorized', message: fault.message } } }
  }
  const status = fault.kind === 'over-quota' ? 409 : statusOf[fault.kind]
  const message = messageOf(fault)
  const type = fault.details['type'] ?? typeOf[fault.kind] ?? 'HTTPInternalServerError'
  return { status, body: { NeutronError: { type, message, detail: '' } } }
}

function messageOf(fault: Fault): string {
  if (fault.kind === 'bug') return 'Request Failed: internal server error while processing your request.'
  const { rule } = fault.details
  return typeof rule === 'string' ? `rule:${rule} is disallowed by policy` : fault.message
}
