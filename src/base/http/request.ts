import type { Readable } from 'node:stream'
import type { AuthContext, PolicyChecker } from '../auth/context.ts'
import { Fault } from '../errors.ts'
import { type Microversion, parseVersion } from './microversion.ts'
import type { ApiRequest } from './route.ts'
import type { Incoming, Outgoing } from './serve.ts'

interface Parts {
  request: Incoming
  reply: Outgoing
  auth: AuthContext | Fault
  version: Microversion
  policy: PolicyChecker
  rawBody: boolean
}

/** A request as handlers see it. */
export class BoundRequest implements ApiRequest<unknown> {
  readonly #parts: Parts
  readonly body: unknown
  /** True once the handler chose a status of its own. */
  statusSet = false

  constructor(parts: Parts) {
    this.#parts = parts
    const body = parts.request.body
    this.body =
      parts.rawBody || (body !== null && typeof body === 'object' && 'pipe' in body) ? undefined : body
  }

  get method(): string {
    return this.#parts.request.method
  }

  get url(): string {
    return this.#parts.request.originalUrl
  }

  get path(): string {
    return this.url.split('?')[0]!
  }

  get params(): Readonly<Record<string, string>> {
    return this.#parts.request.params as Record<string, string>
  }

  get query(): Readonly<Record<string, string | string[]>> {
    return this.#parts.request.query as Record<string, string | string[]>
  }

  get headers(): Readonly<Record<string, string | string[] | undefined>> {
    return this.#parts.request.headers
  }

  get stream(): Readable {
    const body = this.#parts.request.body
    return body !== null && typeof body === 'object' && 'pipe' in body
      ? (body as Readable)
      : this.#parts.request.raw
  }

  get context(): AuthContext {
    if (this.#parts.auth instanceof Fault) throw this.#parts.auth
    return this.#parts.auth
  }

  get requestId(): string {
    return this.#parts.request.id
  }

  get microversion(): Microversion {
    return this.#parts.version
  }

  get origin(): string {
    const { request } = this.#parts
    const forwarded = request.headers['x-forwarded-proto']
    const protocol = typeof forwarded === 'string' ? forwarded : request.protocol
    return `${protocol}://${request.headers.host ?? 'localhost'}`
  }

  atLeast(version: string): boolean {
    return this.#parts.version >= parseVersion(version)
  }

  can(rule: string, target: Readonly<Record<string, unknown>> = {}): boolean {
    const { context } = this
    const own = { project_id: context.projectId, user_id: context.userId, domain_id: context.domainId }
    return this.#parts.policy.check(rule, { ...own, ...target }, context)
  }

  authorize(rule: string, target: Readonly<Record<string, unknown>> = {}): void {
    if (this.can(rule, target)) return
    throw new Fault('forbidden', `Policy doesn't allow ${rule} to be performed.`, { rule })
  }

  setStatus(status: number): void {
    this.statusSet = true
    this.#parts.reply.code(status)
  }

  setHeader(name: string, value: string): void {
    this.#parts.reply.header(name, value)
  }
}
