/** Compute's REST API: all resources, under `/v2.1` with or without the project in the path. */
import type { FastifyInstance } from 'fastify'
import type { PolicyChecker, TokenValidator } from '../../base/auth/context.ts'
import { Fault } from '../../base/errors.ts'
import { createApi } from '../../base/http/app.ts'
import type { Route } from '../../base/http/route.ts'
import { methodAndPath } from '../../base/http/table.ts'
import type { Logger } from '../../base/log.ts'
import { renderComputeFault } from './faults.ts'
import { projectOfPath } from './links.ts'
import { type ComputeApiDeps, computeRoutes } from './routes.ts'
import { maxVersion, minVersion, versionRoutes } from './versions/versions.routes.ts'

export interface ComputeApiOptions {
  deps: ComputeApiDeps
  tokens: TokenValidator
  policy: PolicyChecker
  log: Logger
  /** For `WWW-Authenticate`. */
  identityUri: string
}

/** Builds the app; the caller listens with it and closes it. */
export function createComputeApi(options: ComputeApiOptions): FastifyInstance {
  const app = createApi<ComputeApiDeps>({
    ...options,
    name: 'compute',
    routes: [...versionRoutes, ...computeRoutes.map(underVersion)],
    versions: {
      service: 'compute',
      min: minVersion,
      max: maxVersion,
      legacyHeader: 'X-OpenStack-Nova-API-Version',
    },
    renderFault: renderComputeFault,
    requestIdHeader: 'x-compute-request-id',
    rewriteUrl: withoutProject,
    strictSlash: true,
  })
  app.addHook('preHandler', async (request) => {
    const project = projectOfPath(request.originalUrl)
    if (project === undefined || request.auth instanceof Fault) return
    if (project === request.auth.projectId) return
    throw new Fault(
      'invalid',
      `Malformed request URL: URL's project_id '${project}' doesn't match Context's project_id '${request.auth.projectId}'`,
    )
  })
  return app
}

function underVersion(route: Route<ComputeApiDeps>): Route<ComputeApiDeps> {
  const [method, path] = methodAndPath(route)
  return { ...route, [method.toLowerCase()]: `/v2.1${path}` }
}

/** `/v2/<project>/servers` and the like are all `/v2.1/servers` to the route table. */
function withoutProject(url: string): string {
  return url
    .replace(/^\/v2(?:\.1)?(?=[/?]|$)(?:\/[0-9a-f-]+(?=[/?]|$))?/, '/v2.1')
    .replace(/^\/v2\.1\/(?=\?|$)/, '/v2.1')
}
