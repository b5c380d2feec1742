/** Calls to a service on the network: connections are kept and used again, silence is bounded, errors say who. */
import { readFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { Fault } from '../errors.ts'
import { type HttpCall, type HttpReply, parseReply, type Send } from './client.ts'

export interface HttpOptions {
  /** How long the other side may be silent. */
  timeoutSeconds?: number
  /** `cafile`, `certfile`, `keyfile`: PEM files. */
  caFile?: string
  certFile?: string
  keyFile?: string
  /** Do not check the other side's certificate. */
  insecure?: boolean
}

/** Connections to one service at a time; more calls wait for one. */
const mostConnections = 100

/**
 * Calls a service by its base URL, which may have a path. A service that does not answer is a Fault `unavailable` that
 * says which and why.
 */
export function sendByHttp(baseUrl: string, options: HttpOptions = {}): Send {
  const base = parseBase(baseUrl)
  const tls = base.protocol === 'https:'
  const keep = { keepAlive: true, maxSockets: mostConnections, scheduling: 'lifo' } as const
  const agent = tls ? new TlsAgent({ ...keep, ...tlsOptions(options) }) : new Agent(keep)
  const timeout = (options.timeoutSeconds ?? 60) * 1000
  const prefix = base.pathname.replace(/\/+$/, '')

  const once = (call: HttpCall): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const isStream = call.body instanceof Readable
      const payload = call.body === undefined || isStream ? undefined : JSON.stringify(call.body)
      const headers: Record<string, string | number> = { ...call.headers }
      if (payload !== undefined) {
        headers['content-type'] ??= 'application/json'
        headers['content-length'] = Buffer.byteLength(payload)
      }
      const at = {
        hostname: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port,
        path: prefix + call.path,
      }
      const asked = (tls ? tlsRequest : request)(
        { ...at, method: call.method, headers, agent, timeout },
        resolve,
      )
      asked.once('timeout', () => asked.destroy(new Error(`no answer within ${timeout / 1000} seconds`)))
      asked.once('error', (error: NodeJS.ErrnoException) => {
        reject(new LostCall(error, asked.reusedSocket && error.code === 'ECONNRESET'))
      })
      if (isStream) pipeline(call.body as Readable, asked).catch((error: Error) => asked.destroy(error))
      else asked.end(payload)
    })

  return async (call) => {
    const response = await once(call).catch((lost: LostCall) => {
      // The other side closed a connection that it took for idle.
      if (lost.wasIdle && isRepeatable(call)) return once(call).catch((again) => unanswered(base, again))
      return unanswered(base, lost)
    })
    return await replyOf(base, call, response)
  }
}

class LostCall extends Error {
  readonly wasIdle: boolean

  constructor(cause: Error, wasIdle: boolean) {
    super(cause.message, { cause })
    this.wasIdle = wasIdle
  }
}

const isRepeatable = ({ method, body }: HttpCall): boolean =>
  method !== 'POST' && method !== 'PATCH' && !(body instanceof Readable)

function unanswered(base: URL, lost: Error): never {
  throw new Fault('unavailable', `${base.origin} does not answer`, { url: base.origin }, lost.cause ?? lost)
}

async function replyOf(base: URL, call: HttpCall, response: IncomingMessage): Promise<HttpReply> {
  const status = response.statusCode ?? 0
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
  if (call.stream === true) return { status, headers, body: undefined, stream: response }
  const body = await text(response).catch((error: Error) => unanswered(base, error))
  try {
    return { status, headers, body: parseReply(body, headers) }
  } catch (error) {
    const message = `${base.origin} answered ${call.method} ${call.path} with status ${status} and what is no JSON`
    throw new Fault('unavailable', message, { url: base.origin }, error)
  }
}

function parseBase(baseUrl: string): URL {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new Fault('invalid', `'${baseUrl}' is no http:// or https:// URL.`, { url: baseUrl })
}

function tlsOptions({ caFile, certFile, keyFile, insecure }: HttpOptions) {
  const read = (path: string) => {
    try {
      return readFileSync(path)
    } catch (error) {
      throw new Fault('invalid', `${path} cannot be read.`, { path }, error)
    }
  }
  return {
    ...(caFile === undefined ? {} : { ca: read(caFile) }),
    ...(certFile === undefined ? {} : { cert: read(certFile) }),
    ...(keyFile === undefined ? {} : { key: read(keyFile) }),
    rejectUnauthorized: insecure !== true,
  }
}
