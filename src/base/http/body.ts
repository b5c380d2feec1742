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

/** The value of a JSON text; undefined when it is blank, `invalid` with the place when it is not JSON. */
export function parseJson(json: string): unknown {
  if (json.trim() === '') return undefined
  // A key of that name would replace the prototype of whatever object it is copied into.
  if (json.includes('"__proto__"'))
    throw new Fault('invalid', "The key '__proto__' is not allowed in a body.")
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

/** Refuses a body that no parser read: its content type is not JSON. */
export function rejectUnread(request: FastifyRequest): void {
  const body = request.body
  if (body === null || typeof body !== 'object' || !('pipe' in body)) return
  if (request.headers['content-length'] === '0') return
  const type = request.headers['content-type']
  throw new Fault('unsupported-media', `The content type ${type} is not supported; send application/json.`, {
    type,
  })
}
