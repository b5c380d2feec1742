import { Fault, type FaultKind } from '../../base/errors.ts'
import type { HttpReply } from '../../base/http/client.ts'

const kindOf: Readonly<Record<number, FaultKind>> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  409: 'conflict',
  412: 'precondition-failed',
  413: 'too-large',
  501: 'not-implemented',
  503: 'unavailable',
}

/** The Fault that an error reply of Network stands for; `details.type` is neutron's name of it (`IpAddressInUse`). */
export function describeReply(reply: HttpReply, method: string, path: string): Fault {
  const body = reply.body as { NeutronError?: { type?: string; message?: string } | string } | undefined
  const error = typeof body === 'object' ? body.NeutronError : undefined
  const type = typeof error === 'object' ? error.type : undefined
  const said = typeof error === 'string' ? error : error?.message
  const message = said ?? `Network answered ${reply.status} to ${method} ${path.split('?')[0]}.`
  const details = { type, status: reply.status }
  if (reply.status === 409 && type === 'OverQuota') return new Fault('over-quota', message, details)
  return new Fault(kindOf[reply.status] ?? 'unavailable', message, details)
}
