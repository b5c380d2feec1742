/** What a route table is made of. Behind a route the code knows the newest microversion only. */
import type { Readable } from 'node:stream'
import type { TSchema } from 'typebox'
import type { AuthContext } from '../auth/context.ts'
import type { Microversion } from './microversion.ts'

export interface ApiRequest<Body = unknown> {
  readonly method: string
  /** Path and query as sent. */
  readonly url: string
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  /** A repeated parameter is an array. */
  readonly query: Readonly<Record<string, string | string[]>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Checked against the route's schema. On a `rawBody` route: undefined, and `stream` has the bytes. */
  readonly body: Body
  readonly stream: Readable
  /** Who asks; on a public route (`policy: null`) reading it without a valid token is a 401. */
  readonly context: AuthContext
  readonly requestId: string
  /** 0 for services without microversions. */
  readonly microversion: Microversion
  /** `http://controller:8774` as the client addressed us, for links. */
  readonly origin: string
  /** True when the microversion is this one or newer: `request.atLeast('2.47')`. */
  atLeast(version: string): boolean
  /** True when the policy allows it; the target is merged over the caller's own project and user. */
  can(rule: string, target?: Readonly<Record<string, unknown>>): boolean
  /** Throws `forbidden` where `can` is false. */
  authorize(rule: string, target?: Readonly<Record<string, unknown>>): void
  setStatus(status: number): void
  setHeader(name: string, value: string): void
}

type Path = { [M in 'get' | 'post' | 'put' | 'patch' | 'delete' | 'head']?: string }

export interface Route<Deps> extends Path {
  /** The rule checked before the handler, with the caller's own project as target; null: no token needed. */
  policy: string | null
  handler(request: ApiRequest<never>, deps: Deps): unknown
  /** JSON schema of the body, or one for each microversion. */
  body?: TSchema | ((version: Microversion) => TSchema)
  /** JSON schema of the query; values are strings or arrays of strings. */
  query?: TSchema | ((version: Microversion) => TSchema)
  /** Status of a success: 200 unless given; a handler that returns undefined answers without a body. */
  status?: number
  /** First and last microversion that has this route; outside it is 404. */
  since?: string
  until?: string
  /** `os-start`: for `POST …/action`, the one key of the body that chooses this route. */
  action?: string
  /** The body is taken as a stream of bytes, whatever its type. */
  rawBody?: boolean
  /** Asked all the time by other services: a success is logged at debug only. */
  quiet?: boolean
}
