import type { Fault } from '#base/errors.ts'
import type { FaultReply } from '#base/http/serve.ts'
import { statusOf } from '#base/http/status.ts'

const titles: Readonly<Record<number, string>> = {
  300: 'Multiple Choices',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
}

/** `{"error": {"code", "message", "title"}}`, keystone's form; to OAuth 2.0's clients in theirs. */
export function renderFault(fault: Fault): FaultReply {
  const status = statusOf[fault.kind]
  const message =
    fault.kind === 'bug'
      ? 'An unexpected error prevented the server from fulfilling your request.'
      : fault.message
  const { identity, oauth2 } = fault.details
  if (oauth2 !== undefined) return { status, body: { error: oauth2, error_description: message } }
  const error = { code: status, message, title: titles[status] ?? 'Error' }
  return { status, body: { error: identity === undefined ? error : { ...error, identity } } }
}
