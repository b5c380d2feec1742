import { STATUS_CODES } from 'node:http'
import type { Fault } from '../../base/errors.ts'
import type { FaultReply } from '../../base/http/app.ts'
import { type Microversion, parseVersion } from '../../base/http/microversion.ts'
import { statusOf } from '../../base/http/status.ts'
import { errorCodes } from '../error-codes.ts'
import { versions } from './versions.ts'

const codesSince = parseVersion('1.23')

// What OpenStack's placement puts before the detail of each status.
const explanations: Readonly<Record<number, string>> = {
  400: 'The server could not comply with the request since it is either malformed or otherwise incorrect.',
  401: 'This server could not verify that you are authorized to access the document you requested.',
  403: 'Access was denied to this resource.',
  404: 'The resource could not be found.',
  405: 'The method specified is not allowed for this resource.',
  406: 'The resource could not be generated that was acceptable to your client.',
  409: 'There was a conflict when trying to complete your request.',
  415: 'The request media type is not supported by this server.',
  500: 'The server has either erred or is incapable of performing the requested operation.',
}

/** A fault as placement's API shows it. */
export function renderFault(
  fault: Fault,
  request: { requestId: string; microversion: Microversion },
): FaultReply {
  const { status, detail } = describe(fault)
  const explanation = explanations[status]
  const error: Record<string, unknown> = {
    status,
    title: STATUS_CODES[status] ?? 'Error',
    detail: explanation === undefined || explanation === detail ? detail : `${explanation}\n\n ${detail}  `,
    request_id: request.requestId,
  }
  if (request.microversion >= codesSince) error['code'] = fault.details['code'] ?? errorCodes.undefined
  if (status === 406 && request.microversion === 0) {
    error['min_version'] = versions.min
    error['max_version'] = versions.max
  }
  return { status, body: { errors: [error] } }
}

function describe(fault: Fault): { status: number; detail: string } {
  const { details } = fault
  if (fault.kind === 'unsupported-media') {
    const type = details['type']
    if (type === undefined)
      return { status: 400, detail: 'content-type header required when content-length > 0' }
    return { status: 415, detail: `The media type ${type} is not supported, use application/json` }
  }
  const status = statusOf[fault.kind]
  if (fault.kind === 'invalid' && details['problem'] !== undefined) {
    const where = details['what'] === 'query' ? 'Invalid query string parameters:' : 'JSON does not validate:'
    const path = details['path'] === '' ? '' : ` (at ${details['path']})`
    return { status, detail: `${where} ${details['problem']}${path}` }
  }
  return { status, detail: fault.message.replace(/^Malformed request body:/, 'Malformed JSON:') }
}
