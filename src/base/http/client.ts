/** How one service calls another: by HTTP, or straight into the other's app when both run in one process. */
import { Readable } from 'node:stream'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { Fault } from '../errors.ts'

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
    return { status: reply.statusCode, headers, body: parse(reply.payload, headers) }
  }
}

/** Calls a service by its base URL; a service that does not answer is a Fault `unavailable` that says which. */
export function sendByHttp(baseUrl: string, options: { timeoutSeconds?: number } = {}): Send {
  const base = baseUrl.replace(/\/+$/, '')
  return async (call) => {
    const init: RequestInit & { duplex?: 'half' } = {
      method: call.method,
      headers: { ...call.headers },
      signal: AbortSignal.timeout((options.timeoutSeconds ?? 60) * 1000),
    }
    if (call.body instanceof Readable) {
      init.body = Readable.toWeb(call.body) as unknown as NonNullable<RequestInit['body']>
      init.duplex = 'half'
    } else if (call.body !== undefined) {
      init.body = JSON.stringify(call.body)
      init.headers = { 'content-type': 'application/json', ...call.headers }
    }
    const reply = await fetch(base + call.path, init).catch((error: unknown) => {
      throw new Fault('unavailable', `${base} does not answer`, { url: base }, error)
    })
    const headers = Object.fromEntries(reply.headers)
    if (call.stream === true && reply.body !== null) {
      const stream = Readable.fromWeb(reply.body as Parameters<typeof Readable.fromWeb>[0])
      return { status: reply.status, headers, body: undefined, stream }
    }
    return { status: reply.status, headers, body: parse(await reply.text(), headers) }
  }
}

function parse(text: string, headers: Readonly<Record<string, string>>): unknown {
  if (text === '') return undefined
  return /json/.test(headers['content-type'] ?? '') ? JSON.parse(text) : text
}
