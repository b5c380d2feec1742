/**
 * One service's REST API from its route tables: tokens, policies, microversions, strict bodies, request ids and fault
 * bodies are settled here once; a handler sees a checked request and returns the newest view.
 */
import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream/promises'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { allowsRequest } from '../auth/access-rules.ts'
import type { AuthContext, PolicyChecker, TokenValidator } from '../auth/context.ts'
import { Fault } from '../errors.ts'
import { newRequestId } from '../ids.ts'
import { type Logger, withLogContext } from '../log.ts'
import { readJson, rejectUnread } from './body.ts'
import { type Microversion, requestedVersion, type VersionRange, versionHeaders } from './microversion.ts'
import { BoundRequest } from './request.ts'
import type { Route } from './route.ts'
import { type RouteGroup, tabulate } from './table.ts'
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

declare module 'fastify' {
  interface FastifyRequest {
    auth: AuthContext | Fault
    microversion: Microversion
    startedAt: number
  }
  interface FastifyContextConfig {
    isPublic?: boolean
    isQuiet?: boolean
  }
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
const noToken = new Fault('unauthenticated', 'The request you have made requires authentication.')

/** Builds the app; the caller listens with it, injects into it, and closes it. */
export function createApi<Deps>(options: ApiOptions<Deps>): FastifyInstance {
  const rewrite = (url: string): string => options.rewriteUrl?.(url) ?? url
  const app = Fastify({
    rewriteUrl: (request: IncomingMessage) => rewrite(request.url ?? '/'),
    bodyLimit: options.maxBodyBytes ?? 114_688,
    routerOptions: { ignoreTrailingSlash: options.strictSlash !== true, maxParamLength: 1000 },
    genReqId: newRequestId,
    forceCloseConnections: true,
    // Clients reuse their connections; a short idle time would reset them in the middle of a request.
    keepAliveTimeout: 75_000,
  })
  app.decorateRequest('microversion', 0)
  app.decorateRequest('startedAt', 0)
  // Fastify's own parsers refuse an empty JSON body and take text for a body.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(/^application\/([\w.+-]+[+-])?json(;.*)?$/, { parseAs: 'string' }, readJson)
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  app.addHook('onRequest', (request, reply) => admit(options, request, reply))
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // OpenStack's services name no charset, which JSON does not have; Fastify adds one.
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8')
      reply.header('content-type', 'application/json')
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    logRequest(options, request, reply)
    done()
  })
  app.setErrorHandler(async (error, request, reply) => {
    await drain(request, reply)
    return answerFault(options, error, request, reply)
  })
  app.setNotFoundHandler(async (request, reply) => {
    negotiate(options, request, reply)
    const path = request.url.split('?')[0]
    throw new Fault('not-found', 'The resource could not be found.', { path })
  })
  for (const [path, groups] of tabulate(options.routes)) {
    const refused = methods.filter((method) => method === 'OPTIONS' || !groups.has(method))
    // One route for all that is refused: registering costs more than anything else here.
    app.route({
      method: refused,
      url: path,
      exposeHeadRoute: false,
      handler: (request, reply) =>
        withLogContext({ requestId: request.id }, () => refuse(options, groups, request, reply)),
    })
    for (const [method, group] of groups) {
      if (method === 'HEAD') continue
      app.route({
        method,
        url: path,
        config: { isPublic: group.isPublic, isQuiet: group.isQuiet },
        exposeHeadRoute: !groups.has('HEAD'),
        handler: (request, reply) =>
          withLogContext({ requestId: request.id }, () => serve(options, group, request, reply)),
      })
    }
    const head = groups.get('HEAD')
    if (head !== undefined) {
      app.head(path, { config: { isPublic: head.isPublic, isQuiet: head.isQuiet } }, (request, reply) =>
        serve(options, head, request, reply),
      )
    }
  }
  return app
}

// Before the body is read: who asks, so that a stranger's megabytes are not parsed.
async function admit<Deps>(
  options: ApiOptions<Deps>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  request.startedAt = performance.now()
  reply.header('x-openstack-request-id', request.id)
  if (options.requestIdHeader !== undefined) reply.header(options.requestIdHeader, request.id)
  const token = request.headers['x-auth-token']
  const known = typeof token === 'string' && token !== '' ? await options.tokens.validate(token) : undefined
  const context = known === undefined || mayAsk(options.name, known, request) ? known : undefined
  request.auth = context ?? noToken
  if (context === undefined && request.routeOptions.config?.isPublic !== true) throw noToken
}

function mayAsk(service: string, { accessRules }: AuthContext, request: FastifyRequest): boolean {
  if (accessRules === undefined) return true
  return allowsRequest(accessRules, { service, method: request.method, path: request.url.split('?')[0]! })
}

async function serve<Deps>(
  options: ApiOptions<Deps>,
  group: RouteGroup<Deps>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  negotiate(options, request, reply)
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
  return reply.send(result)
}

function negotiate<Deps>(options: ApiOptions<Deps>, request: FastifyRequest, reply: FastifyReply): void {
  if (options.versions === undefined) return
  request.microversion = requestedVersion(options.versions, request.headers)
  reply.headers(versionHeaders(options.versions, request.microversion))
}

async function refuse<Deps>(
  options: ApiOptions<Deps>,
  groups: ReadonlyMap<string, RouteGroup<Deps>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<never> {
  negotiate(options, request, reply)
  const allowed = [...groups.keys()].join(', ')
  reply.header('allow', allowed)
  const path = request.url.split('?')[0]
  throw new Fault(
    'method-not-allowed',
    `The method ${request.method} is not allowed for ${path}; it takes ${allowed}.`,
    { method: request.method, allowed },
  )
}

function answerFault<Deps>(
  options: ApiOptions<Deps>,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
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
  if (typeof answer.body === 'string') return reply.send(answer.body)
  return reply.type('application/json').send(JSON.stringify(answer.body))
}

/** As much of a refused body is read and thrown away. */
const maxDrainedBytes = 16 * 1024 * 1024

/**
 * Lets a refused body come in before the refusal is sent: to a client that is still sending, a connection that closes
 * is a broken pipe instead of the reason. Fastify would close it on every body that it refuses.
 */
async function drain({ raw, headers }: FastifyRequest, reply: FastifyReply): Promise<void> {
  const isShort = Number(headers['content-length']) <= maxDrainedBytes
  if (!raw.readableEnded && !raw.destroyed && isShort) {
    // What goes wrong now is of no interest any more: the request is refused already.
    await finished(raw.resume(), { writable: false }).catch(() => undefined)
  }
  if (raw.readableEnded) reply.removeHeader('connection')
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

function logRequest<Deps>(options: ApiOptions<Deps>, request: FastifyRequest, reply: FastifyReply): void {
  // Calls between our own services in one process are told at debug: their callers tell what they do.
  const isQuiet = request.routeOptions.config?.isQuiet === true && reply.statusCode < 400
  const level = isQuiet || '_lightMyRequest' in request.raw ? 'debug' : 'info'
  if (!options.log.isLevelEnabled(level)) return
  options.log[level](
    {
      api: options.name,
      requestId: request.id,
      method: request.method,
      url: request.url,
      status: reply.statusCode,
      milliseconds: Math.round((performance.now() - request.startedAt) * 10) / 10,
    },
    'request',
  )
}
