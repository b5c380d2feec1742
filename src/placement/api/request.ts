/** What placement's requests and answers have in common. */
import { Fault } from '../../base/errors.ts'
import type { Request } from './deps.ts'

/** `/placement` when the client came by that prefix, else nothing: for links and locations. */
export const mountOf = (request: Request): string =>
  /^\/placement(\/|$)/.test(request.path) ? '/placement' : ''

/** Sets the absolute address of what was made. */
export function setLocation(request: Request, path: string): void {
  request.setHeader('location', `${request.origin}${mountOf(request)}${path}`)
}

/** Says since 1.15 when the newest of the things shown changed; now, when that is not known. */
export function setModified(request: Request, times: readonly (string | null | undefined)[] = []): void {
  if (!request.atLeast('1.15')) return
  const newest = times.reduce<string>((one, other) => (other != null && other > one ? other : one), '')
  const time = newest === '' ? new Date() : new Date(newest)
  request.setHeader('last-modified', time.toUTCString())
  request.setHeader('cache-control', 'no-cache')
}

/** Refuses a client that takes no JSON. */
export function assertAcceptsJson(request: Request): void {
  const accept = request.headers['accept']
  const text = Array.isArray(accept) ? accept.join(',') : accept
  if (text === undefined || text.trim() === '') return
  const accepted = text.split(',').some((part) => {
    const [type, ...parameters] = part.split(';').map((word) => word.trim().toLowerCase())
    if (parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) return false
    return type === '*/*' || type === 'application/*' || type === 'application/json'
  })
  if (!accepted) throw new Fault('not-acceptable', 'Only application/json is provided')
}

/** A uuid as placement keeps it; clients may leave out the dashes. */
export const dashed = (uuid: string): string =>
  uuid
    .replaceAll('-', '')
    .toLowerCase()
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
