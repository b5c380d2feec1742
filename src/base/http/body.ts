import type { FastifyRequest } from 'fastify'
import { Fault } from '../errors.ts'

/** A fastify content type parser for JSON; an empty body is no body. */
export function readJson(
  _request: FastifyRequest,
  text: string | Buffer,
  done: (error: Error | null, body?: unknown) => void,
): void {
  try {
    done(null, parseJson(text.toString()))
  } catch (error) {
    done(error as Fault)
  }
}

/** Deeper than any body of an API, and far from what recursive code, as validators are, has stack for. */
const maxDepth = 200

/** The value of a JSON text; undefined when it is blank, `invalid` with the place when it is not JSON. */
export function parseJson(json: string): unknown {
  if (json.trim() === '') return undefined
  // A key of that name would replace the prototype of whatever object it is copied into.
  if (json.includes('"__proto__"'))
    throw new Fault('invalid', "The key '__proto__' is not allowed in a body.")
  if (json.length > maxDepth && depthOf(json) > maxDepth) {
    throw new Fault('invalid', `Malformed request body: it is nested more than ${maxDepth} levels deep.`)
  }
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new Fault(
      'invalid',
      `Malformed request body: it is not valid JSON (${(error as Error).message}).`,
      {},
      error,
    )
  }
}

/** How deep the brackets of a JSON text go, those in strings left out. */
function depthOf(json: string): number {
  let [depth, deepest, inString] = [0, 0, false]
  for (let at = 0; at < json.length; at++) {
    const char = json[at]
    if (char === '\\') at++
    else if (char === '"') inString = !inString
    else if (inString) continue
    else if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth)
    else if (char === ']' || char === '}') depth--
  }
  return deepest
}

/** Refuses a body that no parser read: its content type is not JSON. */
export function rejectUnread(request: Pick<FastifyRequest, 'body' | 'headers'>): void {
  const body = request.body
  if (body === null || typeof body !== 'object' || !('pipe' in body)) return
  if (request.headers['content-length'] === '0') return
  const type = request.headers['content-type']
  throw new Fault('unsupported-media', `The content type ${type} is not supported; send application/json.`, {
    type,
  })
}
