/**
 * Answers calls from within the process: what a request over a socket goes through, without making the socket's
 * request and reply. What is out of the ordinary (an address that no route has, a body of bytes) is left to the app.
 */
import { parse as parseQuery } from 'node:querystring'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { AuthContext } from '../auth/context.ts'
import { Fault } from '../errors.ts'
import { newRequestId } from '../ids.ts'
import { withLogContext } from '../log.ts'
import { parseJson } from './body.ts'
import type { HttpCall, HttpReply } from './client.ts'
import type { Microversion } from './microversion.ts'
import { type FoundPath, PathTree } from './path-tree.ts'
import {
  type ApiOptions,
  admit,
  faultBody,
  type Incoming,
  logRequest,
  type Outgoing,
  serve,
} from './serve.ts'
import type { Method, RouteGroup } from './table.ts'

type Groups<Deps> = ReadonlyMap<Method, RouteGroup<Deps>>

export interface InProcess {
  /** The reply to a call; undefined for one that is left to the app. */
  dispatch(call: HttpCall): Promise<HttpReply> | undefined
}

export class Dispatcher<Deps> implements InProcess {
  readonly #options: ApiOptions<Deps>
  readonly #paths: PathTree<Groups<Deps>>

  constructor(options: ApiOptions<Deps>, table: ReadonlyMap<string, Groups<Deps>>) {
    this.#options = options
    this.#paths = new PathTree(table)
  }

  dispatch(call: HttpCall): Promise<HttpReply> | undefined {
    if (call.stream === true || call.body instanceof Readable) return undefined
    const headers: Record<string, string> = {}
    for (const name in call.headers) headers[name.toLowerCase()] = call.headers[name]!
    if ('content-type' in headers) return undefined
    const url = this.#options.rewriteUrl?.(call.path) ?? call.path
    const end = url.indexOf('?')
    const found = this.#paths.find(end === -1 ? url : url.slice(0, end))
    const group = found?.value.get(call.method)
    if (found === undefined || group === undefined || group.takesBytes) return undefined
    return this.#answer(call, { headers, url, query: end === -1 ? '' : url.slice(end + 1), found, group })
  }

  async #answer(call: HttpCall, matched: Matched<Deps>): Promise<HttpReply> {
    const options = this.#options
    const request = new DirectRequest(call, matched)
    const reply = new DirectReply()
    let result: unknown
    try {
      await admit(options, request, reply, matched.group.isPublic)
      request.body = readBody(call.body, options.maxBodyBytes)
      result = await withLogContext({ requestId: request.id }, () =>
        serve(options, matched.group, request, reply),
      )
    } catch (error) {
      result = faultBody(options, error, request, reply)
    }
    logRequest(options, request, reply.status, 'debug')
    return { status: reply.status, headers: reply.headers, body: await reply.bodyOf(result) }
  }
}

interface Matched<Deps> {
  headers: Readonly<Record<string, string>>
  url: string
  query: string
  found: FoundPath<Groups<Deps>>
  group: RouteGroup<Deps>
}

// As text and back, so that neither side can change what the other holds, and a value reads as it would over a socket.
function readBody(body: unknown, most = 114_688): unknown {
  if (body === undefined) return undefined
  const json = JSON.stringify(body)
  if (json.length > most) throw new Fault('too-large', 'Request is too large.')
  return parseJson(json)
}

// Made once: each would note where it was made.
const notAdmitted = new Fault('unauthenticated', 'Nobody asked yet.')

class DirectRequest<Deps> implements Incoming {
  readonly id = newRequestId()
  readonly protocol = 'http'
  readonly method: string
  readonly url: string
  readonly originalUrl: string
  readonly headers: Incoming['headers']
  readonly params: Readonly<Record<string, string>>
  readonly query: unknown
  body: unknown
  auth: AuthContext | Fault = notAdmitted
  microversion: Microversion = 0
  startedAt = 0

  constructor(call: HttpCall, { headers, url, query, found }: Matched<Deps>) {
    this.method = call.method
    this.url = url
    this.originalUrl = call.path
    this.headers = headers
    this.params = found.params
    this.query = query === '' ? {} : parseQuery(query, '&', '=', { maxKeys: 0 })
  }

  get raw(): Readable {
    return Readable.from([])
  }
}

class DirectReply implements Outgoing {
  status = 200
  readonly headers: Record<string, string> = {}

  code(status: number): void {
    this.status = status
  }

  header(name: string, value: string): void {
    this.headers[name.toLowerCase()] = value
  }

  async bodyOf(result: unknown): Promise<unknown> {
    if (result === undefined || result === null || this.status === 204) return undefined
    const own = result instanceof Readable ? await text(result) : result
    if (typeof own === 'string' || own instanceof Uint8Array) {
      this.headers['content-type'] ??= typeof own === 'string' ? 'text/plain' : 'application/octet-stream'
      const said = typeof own === 'string' ? own : Buffer.from(own).toString()
      if (said === '') return undefined
      return this.headers['content-type'].includes('json') ? JSON.parse(said) : said
    }
    this.headers['content-type'] ??= 'application/json'
    return JSON.parse(JSON.stringify(own))
  }
}
