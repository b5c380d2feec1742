/** One service's REST API from its route tables, as an app that listens. */
import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream/promises'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { AuthContext } from '../auth/context.ts'
import { Fault } from '../errors.ts'
import { newRequestId } from '../ids.ts'
import { withLogContext } from '../log.ts'
import { readJson } from './body.ts'
import { Dispatcher, type InProcess } from './dispatcher.ts'
import type { Microversion } from './microversion.ts'
import { type ApiOptions, admit, faultBody, logRequest, negotiate, serve } from './serve.ts'
import { type RouteGroup, tabulate } from './table.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers calls from within the process; absent in an app that is not made here. */
    dispatcher?: InProcess
  }
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

/** Builds the app; the caller listens with it, injects into it, and closes it. */
export function createApi<Deps>(options: ApiOptions<Deps>): FastifyInstance {
  const rewrite = (url: string): string => options.rewriteUrl?.(url) ?? url
  const table = tabulate(options.routes)
  const app = Fastify({
    rewriteUrl: (request: IncomingMessage) => rewrite(request.url ?? '/'),
    bodyLimit: options.maxBodyBytes ?? 114_688,
    routerOptions: { ignoreTrailingSlash: options.strictSlash !== true, maxParamLength: 1000 },
    genReqId: newRequestId,
    forceCloseConnections: true,
    // Clients reuse their connections; a short idle time would reset them in the middle of a request.
    keepAliveTimeout: 75_000,
  })
  const dispatcher: InProcess = new Dispatcher(options, table)
  app.decorate('dispatcher', dispatcher)
  app.decorateRequest('microversion', 0)
  app.decorateRequest('startedAt', 0)
  // Fastify's own parsers refuse an empty JSON body and take text for a body.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(/^application\/([\w.+-]+[+-])?json(;.*)?$/, { parseAs: 'string' }, readJson)
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  app.addHook('onRequest', (request, reply) =>
    admit(options, request, reply, request.routeOptions.config?.isPublic === true),
  )
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // OpenStack's services name no charset, which JSON does not have; Fastify adds one.
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8')
      reply.header('content-type', 'application/json')
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const isQuiet = request.routeOptions.config?.isQuiet === true && reply.statusCode < 400
    // Calls between our own services in one process are told at debug: their callers tell what they do.
    const level = isQuiet || '_lightMyRequest' in request.raw ? 'debug' : 'info'
    logRequest(options, request, reply.statusCode, level)
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
  for (const [path, groups] of table) {
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
          withLogContext({ requestId: request.id }, () => answer(options, group, request, reply)),
      })
    }
    const head = groups.get('HEAD')
    if (head !== undefined) {
      app.head(path, { config: { isPublic: head.isPublic, isQuiet: head.isQuiet } }, (request, reply) =>
        answer(options, head, request, reply),
      )
    }
  }
  return app
}

async function answer<Deps>(
  options: ApiOptions<Deps>,
  group: RouteGroup<Deps>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  return reply.send(await serve(options, group, request, reply))
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
  const body = faultBody(options, error, request, reply)
  if (typeof body === 'string') return reply.send(body)
  return reply.type('application/json').send(JSON.stringify(body))
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
  const mayStay = raw.readableEnded && reply.raw.shouldKeepAlive
  if (mayStay && reply.hasHeader('connection')) reply.header('connection', 'keep-alive')
}
