/** Glance's fault bodies: HTML for clients that take anything, JSON or plain text for those that ask. */
import { STATUS_CODES } from 'node:http'
import type { Fault } from '../../base/errors.ts'
import type { FaultReply } from '../../base/http/serve.ts'
import { statusOf } from '../../base/http/status.ts'

/**
 * python-glanceclient sends `Accept: *\/*` and reads its error's text from the HTML; its reader of JSON errors expects
 * other services' nested form and breaks on this one, so that JSON goes to those only who ask for it alone. openstacksdk uploads with an empty
 * `Accept` and shows the text of HTML, but none of plain text.
 */
export function renderFault(fault: Fault, request: { accept: string | undefined }): FaultReply {
  const status = 'unsatisfiable' in fault.details ? 416 : statusOf[fault.kind]
  const title = STATUS_CODES[status] ?? 'Error'
  const headers = headersOf(fault)
  const accept = request.accept ?? ''
  if (/application\/json/.test(accept) && !/html|\*\/\*/.test(accept))
    return { status, headers, body: { message: fault.message, code: `${status} ${title}`, title } }
  if (/^text\/plain/.test(accept)) {
    const body = `${status} ${title}\n\n${fault.message}\n\n`
    return { status, headers: { ...headers, 'content-type': 'text/plain; charset=UTF-8' }, body }
  }
  const body = html(status, title, fault.message)
  return { status, headers: { ...headers, 'content-type': 'text/html; charset=UTF-8' }, body }
}

function headersOf(fault: Fault): Record<string, string> {
  const { unsatisfiable, acceptPatch } = fault.details
  if (typeof unsatisfiable === 'number') return { 'content-range': `bytes */${unsatisfiable}` }
  return typeof acceptPatch === 'string' ? { 'accept-patch': acceptPatch } : {}
}

function html(status: number, title: string, message: string): string {
  const heading = `${status} ${title}`
  const text = message.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<html>
 <head>
  <title>${heading}</title>
 </head>
 <body>
  <h1>${heading}</h1>
  ${text}<br /><br />

 </body>
</html>
`
}
