/**
 * What every request to a service goes through, whichever way it came: a socket, or a call within the process. Tokens,
 * policies, microversions, strict bodies, request ids and fault bodies are settled here once.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { allowsRequest } from '../auth/access-rules.ts'
import type { AuthContext, PolicyChecker, TokenValidator } from '../auth/context.ts'
import { Fault } from '../errors.ts'
import type { Logger } from '../log.ts'
import { rejectUnread } from './body.ts'
import { type Microversion, requestedVersion, type VersionRange, versionHeaders } from './microversion.ts'
import { BoundRequest } from './request.ts'
import type { Route } from './route.ts'
import type { RouteGroup } from './table.ts'
import { assertValid } from './validate.ts'

/** A fault as a service answers it. */
export interface FaultReply {
  status: number
  /** Sent as JSON; a string as it is, with the `content-type` among the headers. */
  body: unknown
  headers?: Readonly<Record<string, string>>
}

export interface ApiOptions<Deps> {
  /** The service's type, `compute`: for logs, and for access rules of application credentials. */
  name: string
  routes: readonly Route<Deps>[]
  deps: Deps
  log: Logger
  tokens: TokenValidator
  policy: PolicyChecker
  /** Without it the service has no microversions. */
  versions?: VersionRange
  renderFault(
    fault: Fault,
    request: { requestId: string; microversion: Microversion; accept: string | undefined },
  ): FaultReply
  /** For `WWW-Authenticate: Keystone uri="…"`. */
  identityUri: string
  /** Largest JSON body in bytes; oslo.middleware's default unless given. */
  maxBodyBytes?: number
  /** Also sent with the request id: `x-compute-request-id`. */
  requestIdHeader?: string
  /** An address with a slash at its end is another one, which is not there; else the slash has no meaning. */
  strictSlash?: boolean
  /** Turns an address as sent into one of the route table: for prefixes that have no meaning of their own. */
  rewriteUrl?(url: string): string
}

/** A request with its path matched and its body read. */
export interface Incoming {
  readonly id: string
  readonly method: string
  /** Path and query as the route table has them. */
  readonly url: string
  /** As sent. */
  readonly originalUrl: string
  readonly protocol: string
  readonly headers: IncomingHttpHeaders
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  /** What `admit` and `negotiate` found out. */
  auth: AuthContext | Fault
  microversion: Microversion
  startedAt: number
  /** The bytes of the body. */
  readonly raw: Readable
}

/** Where the answer is put together. */
export interface Outgoing {
  code(status: number): unknown
  header(name: string, value: string): unknown
}

const noToken = new Fault('unauthenticated', 'The request you have made requires authentication.')

/** Before the body is read: who asks, so that a stranger's megabytes are not parsed. */
export async function admit<Deps>(
  options: ApiOptions<Deps>,
  request: Incoming,
  reply: Outgoing,
  isPublic: boolean,
): Promise<void> {
  request.startedAt = performance.now()
  reply.header('x-openstack-request-id', request.id)
  if (options.requestIdHeader !== undefined) reply.header(options.requestIdHeader, request.id)
  const known = await whoAsks(options.tokens, request.headers)
  const context = known === undefined || mayAsk(options.name, known, request) ? known : undefined
  request.auth = context ?? noToken
  if (context === undefined && !isPublic) throw noToken
}

async function whoAsks(
  tokens: TokenValidator,
  headers: IncomingHttpHeaders,
): Promise<AuthContext | undefined> {
  if (tokens.believe !== undefined) return await tokens.believe(headers)
  const token = headers['x-auth-token']
  return typeof token === 'string' && token !== '' ? await tokens.validate(token) : undefined
}

function mayAsk(service: string, { accessRules }: AuthContext, request: Incoming): boolean {
  if (accessRules === undefined) return true
  return allowsRequest(accessRules, { service, method: request.method, path: request.url.split('?')[0]! })
}

/** Checks a request and has it handled: what the handler returns is the answer's body. */
export async function serve<Deps>(
  options: ApiOptions<Deps>,
  group: RouteGroup<Deps>,
  request: Incoming,
  reply: Outgoing,
): Promise<unknown> {
  negotiate(options, request, reply)
  assertNoBlank(request.params)
  const { microversion: version, auth } = request
  const route = group.choose(version, request.body)
  const rawBody = route.rawBody === true
  const bound = new BoundRequest({ request, reply, auth, version, policy: options.policy, rawBody })
  if (route.policy !== null) bound.authorize(route.policy)
  if (!rawBody) rejectUnread(request)
  if (route.query !== undefined) {
    assertValid(
      typeof route.query === 'function' ? route.query(version) : route.query,
      request.query,
      'query',
    )
  }
  if (route.body !== undefined) {
    assertValid(typeof route.body === 'function' ? route.body(version) : route.body, request.body)
  }
  const result = await route.handler(bound as BoundRequest & { body: never }, options.deps)
  if (!bound.statusSet) reply.code(route.status ?? (result === undefined ? 204 : 200))
  return result
}

// `/servers/` matches `/servers/:id` with nothing as the id, which nothing has.
function assertNoBlank(params: unknown): void {
  for (const value of Object.values(params ?? {})) {
    if (value === '') throw new Fault('not-found', 'The resource could not be found.')
  }
}

/** Settles the microversion. */
export function negotiate<Deps>(options: ApiOptions<Deps>, request: Incoming, reply: Outgoing): void {
  if (options.versions === undefined) return
  request.microversion = requestedVersion(options.versions, request.headers)
  const headers = versionHeaders(options.versions, request.microversion)
  for (const name in headers) reply.header(name, headers[name]!)
}

/** The body of the answer to a request that failed. A text has its content type among the headers, else it is JSON. */
export function faultBody<Deps>(
  options: ApiOptions<Deps>,
  error: unknown,
  request: Incoming,
  reply: Outgoing,
): unknown {
  const fault = toFault(error)
  if (fault.kind === 'bug')
    options.log.error({ err: fault.cause ?? fault, url: request.url }, 'unexpected error')
  else if (fault.kind === 'unavailable') options.log.warn({ err: fault, url: request.url }, 'unavailable')
  const { id: requestId, microversion } = request
  const answer = options.renderFault(fault, { requestId, microversion, accept: request.headers.accept })
  reply.code(answer.status)
  if (fault.kind === 'unauthenticated')
    reply.header('www-authenticate', `Keystone uri="${options.identityUri}"`)
  for (const [name, value] of Object.entries(answer.headers ?? {})) reply.header(name, value)
  return answer.body
}

function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  const status = (error as { statusCode?: number }).statusCode
  const said = error instanceof Error ? error.message : String(error)
  if (status === 413) return new Fault('too-large', 'Request is too large.')
  if (status === 415) return new Fault('unsupported-media', said)
  if (status !== undefined && status >= 400 && status < 500) return new Fault('invalid', said)
  return new Fault('bug', 'Unexpected API error.', {}, error)
}

/** One line for each request. */
export function logRequest<Deps>(
  options: ApiOptions<Deps>,
  request: Incoming,
  status: number,
  level: 'info' | 'debug',
): void {
  if (!options.log.isLevelEnabled(level)) return
  options.log[level](
    {
      api: options.name,
      requestId: request.id,
      method: request.method,
      url: request.url,
      status,
      milliseconds: Math.round((performance.now() - request.startedAt) * 10) / 10,
    },
    'request',
  )
}
