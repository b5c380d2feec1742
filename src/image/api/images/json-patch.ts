/** Glance's two forms of JSON patch, read into a list of changes that may be made. */
import type { Readable } from 'node:stream'
import { Fault } from '../../../base/errors.ts'
import { parseJson } from '../../../base/http/body.ts'
import type { ImageSettings } from '../../config.ts'
import { assertImage } from './image-schema.ts'
import { isReadOnly, isReserved } from './reserved.ts'

export interface Change {
  op: 'add' | 'remove' | 'replace'
  /** `/tags` → `tags`. */
  name: string
  value?: unknown
  /** In the older form `add` must not replace. */
  addOnly: boolean
}

const operations = ['add', 'remove', 'replace'] as const
const older = 'application/openstack-images-v2.0-json-patch'
const newer = 'application/openstack-images-v2.1-json-patch'
const maxPatchBytes = 1_000_000

const bad = (message: string): Fault => new Fault('invalid', message)

/** Reads the body of a PATCH; its content type says which form it has. */
export async function readPatch(
  request: { headers: Readonly<Record<string, string | string[] | undefined>>; stream: Readable },
  settings: ImageSettings,
): Promise<Change[]> {
  const type = String(request.headers['content-type'] ?? '')
    .split(';')[0]!
    .trim()
    .toLowerCase()
  if (type !== older && type !== newer) {
    throw new Fault('unsupported-media', `The content type must be ${newer} or ${older}.`, {
      acceptPatch: `${older}, ${newer}`,
    })
  }
  const body = parseJson(await readText(request.stream))
  if (body === undefined) throw bad('Body expected in request.')
  if (!Array.isArray(body)) throw bad('Request body must be a JSON array of operation objects.')
  return body.map((raw) => readChange(raw, type === older, settings))
}

async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    size += (chunk as Buffer).length
    if (size > maxPatchBytes) throw new Fault('too-large', 'Request is too large.')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readChange(raw: unknown, isOlder: boolean, settings: ImageSettings): Change {
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw))
    throw bad('Operations must be JSON objects.')
  const given = raw as Record<string, unknown>
  const op = isOlder ? olderOperation(given) : newerOperation(given)
  const path = isOlder ? given[op] : given['path']
  if (path === undefined) throw bad("Unable to find 'path' in JSON Schema change")
  const name = readPointer(path, op)
  const change: Change = { op, name, addOnly: isOlder }
  if (op !== 'remove') {
    if (!('value' in given)) throw bad(`Operation "${op}" requires a member named "value".`)
    change.value = given['value']
  }
  assertAllowed(change, settings)
  return change
}

function newerOperation(given: Record<string, unknown>): Change['op'] {
  const available = operations.join(', ')
  const { op } = given
  if (op === undefined || op === null)
    throw bad(`Unable to find \`op\` in JSON Schema change. It must be one of the following: ${available}.`)
  const known = operations.find((operation) => operation === op)
  if (known === undefined)
    throw bad(`Invalid operation: \`${String(op)}\`. It must be one of the following: ${available}.`)
  return known
}

function olderOperation(given: Record<string, unknown>): Change['op'] {
  const present = operations.filter((operation) => operation in given)
  if (present.length === 1) return present[0]!
  throw bad(
    `Operation objects must contain ${present.length === 0 ? 'exactly' : 'only'} one member named ` +
      '"add", "remove", or "replace".',
  )
}

// A limited form of JSON pointer: one name, or a name and a place in `locations`.
function readPointer(pointer: unknown, op: Change['op']): string {
  if (typeof pointer !== 'string') throw bad('Pointers must be strings.')
  if (!pointer.startsWith('/')) throw bad(`Pointer \`${pointer}\` does not start with "/".`)
  if (/\/\s*?\//.test(pointer.slice(1))) throw bad(`Pointer \`${pointer}\` contains adjacent "/".`)
  if (pointer.length > 1 && pointer.endsWith('/')) throw bad(`Pointer \`${pointer}\` end with "/".`)
  if (/~[^01]/.test(pointer) || pointer.endsWith('~'))
    throw bad(`Pointer \`${pointer}\` contains "~" not part of a recognized escape sequence.`)
  const parts = pointer
    .replace(/^\/+/, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~').trim())
  const depth = parts[0] === 'locations' && op !== 'replace' ? 2 : 1
  if (parts.length !== depth || parts[0] === '')
    throw bad(`Invalid JSON pointer for this resource: '/${parts.join('/')}'`)
  return parts[0]!
}

function assertAllowed(change: Change, settings: ImageSettings): void {
  const { name, op, value } = change
  if (isReadOnly(name)) throw new Fault('forbidden', `Attribute '${name}' is read-only.`)
  if (isReserved(name)) throw new Fault('forbidden', `Attribute '${name}' is reserved.`)
  if (name.length > 255) throw bad('Custom property should not be greater than 255 characters.')
  if (op !== 'remove') assertImage(settings, { [name]: name === 'locations' ? [value].flat() : value })
}
