/** How nova words a fault: the name of the kind around code and message. */
import type { Fault } from '../../base/errors.ts'
import type { FaultReply } from '../../base/http/serve.ts'
import { statusOf } from '../../base/http/status.ts'

const nameOf: Readonly<Record<number, string>> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
}

/** A fault as nova answers it; one without a token as keystone's middleware does, which stands before nova. */
export function renderComputeFault(fault: Fault): FaultReply {
  const status = statusOf[fault.kind]
  const { message } = fault
  if (status === 401) return { status, body: { error: { code: 401, title: 'Unauthorized', message } } }
  const headers: Record<string, string> = status === 413 ? { 'retry-after': '0' } : {}
  return { status, body: { [nameOf[status] ?? 'computeFault']: { code: status, message } }, headers }
}
