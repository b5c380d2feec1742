import { STATUS_CODES } from 'node:http'
import type { Fault } from '../../base/errors.ts'
import { type Microversion, parseVersion } from '../../base/http/microversion.ts'
import type { FaultReply } from '../../base/http/serve.ts'
import { statusOf } from '../../base/http/status.ts'
import { python } from '../../base/http/validate.ts'
import { errorCodes } from '../error-codes.ts'
import { versions } from './versions.ts'

const codesSince = parseVersion('1.23')

// What OpenStack's placement puts before the detail of each status.
const explanations: Readonly<Record<number, string>> = {
  400: 'The server could not comply with the request since it is either malformed or otherwise incorrect.',
  401: 'This server could not verify that you are authorized to access the document you requested.',
  403: 'Access was denied to this resource.',
  404: 'The resource could not be found.',
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
    if (details['what'] === 'body' && details['value'] === undefined && details['path'] === '')
      return { status, detail: 'Malformed JSON: there is no body' }
    const where = details['what'] === 'query' ? 'Invalid query string parameters:' : 'JSON does not validate:'
    return { status, detail: `${where} ${details['problem']}\n\n${whereInSchema(details)}` }
  }
  if (fault.kind === 'method-not-allowed' && typeof details['method'] === 'string') {
    return {
      status,
      detail: `The method specified is not allowed for this resource. The method ${details['method']} is not allowed for this resource.`,
    }
  }
  const detail = fault.message
    .replace(/^Malformed request body:/, 'Malformed JSON:')
    .replace(/^API Version String (.*) is of invalid format\..*$/, 'invalid version string: $1')
    .replace(/^Version (\S+) is not supported by the API\./, 'Unacceptable version header: $1.')
  return { status, detail }
}

// As Python's jsonschema ends its messages, which say what a client got wrong and where.
function whereInSchema(details: Readonly<Record<string, unknown>>): string {
  const quote = (parts: readonly string[]): string =>
    parts.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `['${part}']`)).join('')
  const schema = String(details['schemaPath'] ?? '')
    .split('/')
    .slice(0, -1)
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
  const path = String(details['path'])
  const instance = path === '' ? '' : quote(path.split('.'))
  return `Failed validating '${details['rule']}' in schema${quote(schema)}\n\nOn instance${instance}:\n    ${python(details['value'])}`
}
