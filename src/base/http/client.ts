/** How one service calls another: by HTTP, or straight into the other's app when both run in one process. */
import { Readable } from 'node:stream'
import type { FastifyInstance, InjectOptions } from 'fastify'

export interface HttpCall {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** Path with query, from the service's root: `/v2.0/ports?device_id=…`. */
  path: string
  headers?: Readonly<Record<string, string>>
  /** Sent as JSON, or as it is when a stream. */
  body?: unknown
  /** Leaves the reply's body as a stream. */
  stream?: boolean
}

export interface HttpReply {
  status: number
  headers: Readonly<Record<string, string>>
  /** Parsed JSON, text when it is not JSON, undefined when empty or streamed. */
  body: unknown
  stream?: Readable
}

export type Send = (call: HttpCall) => Promise<HttpReply>

/** Calls an app of this process without a socket. */
export function sendByInject(app: FastifyInstance): Send {
  return async (call) => {
    const answer = app.dispatcher?.dispatch(call)
    if (answer !== undefined) return await answer
    const options: InjectOptions = { method: call.method, url: call.path, headers: { ...call.headers } }
    if (call.body !== undefined) {
      options.payload = call.body as NonNullable<InjectOptions['payload']>
      if (!(call.body instanceof Readable)) {
        options.payload = JSON.stringify(call.body)
        options.headers = { 'content-type': 'application/json', ...call.headers }
      }
    }
    const reply = await app.inject({ ...options, payloadAsStream: call.stream === true })
    const headers = reply.headers as Record<string, string>
    if (call.stream === true)
      return { status: reply.statusCode, headers, body: undefined, stream: reply.stream() }
    return { status: reply.statusCode, headers, body: parseReply(reply.payload, headers) }
  }
}

/** A reply's body by its content type. */
export function parseReply(text: string, headers: Readonly<Record<string, string>>): unknown {
  if (text === '') return undefined
  return /json/.test(headers['content-type'] ?? '') ? JSON.parse(text) : text
}
