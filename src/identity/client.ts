/** How other services use identity: validating tokens, getting one's own, and finding endpoints. */
import type { AccessRule, AuthContext, TokenValidator } from '#base/auth/context.ts'
import { type Clock, systemClock } from '#base/clock.ts'
import { Fault } from '#base/errors.ts'
import type { Send } from '#base/http/client.ts'

/** Gives a token that is valid for a while yet; services call each other with it. */
export type TokenSource = () => Promise<string>

export interface ServiceCredentials {
  username: string
  password: string
  projectName: string
  userDomainName?: string
  projectDomainName?: string
}

interface TokenBody {
  token: {
    user: { id: string; name: string; domain: { id: string; name: string } }
    project?: { id: string; name: string; domain: { id: string; name: string } }
    domain?: { id: string; name: string }
    system?: { all?: boolean }
    roles?: readonly { id: string; name: string }[]
    expires_at: string
    methods: readonly string[]
    audit_ids: readonly string[]
    application_credential?: { id: string; restricted: boolean; access_rules?: readonly AccessRule[] }
    catalog?: readonly CatalogService[]
  }
}

export interface CatalogService {
  type: string
  name: string
  endpoints: readonly { interface: string; region_id: string; url: string }[]
}

/** A new token comes so long before the old one ends that calls under way end before it. */
const renewalMilliseconds = 300_000

/** Logs in with a password, and again before the token ends; callers at the same time share one login. */
export function passwordAuthenticator(
  send: Send,
  credentials: ServiceCredentials,
  clock: Clock = systemClock,
): TokenSource {
  let held: { token: string; renewAt: number } | undefined
  let pending: Promise<string> | undefined
  const logIn = async (): Promise<string> => {
    const reply = await send({
      method: 'POST',
      path: '/v3/auth/tokens?nocatalog',
      body: { auth: passwordAuth(credentials) },
    })
    const token = reply.headers['x-subject-token']
    if (reply.status !== 201 || token === undefined) {
      throw new Fault(
        reply.status === 401 ? 'unauthenticated' : 'unavailable',
        `Identity gave no token to ${credentials.username}: status ${reply.status}.`,
        { status: reply.status },
      )
    }
    const lifetime = Date.parse((reply.body as TokenBody).token.expires_at) - clock.now()
    held = { token, renewAt: clock.now() + Math.max(lifetime / 2, lifetime - renewalMilliseconds) }
    return token
  }
  return async () => {
    if (held !== undefined && clock.now() < held.renewAt) return held.token
    pending ??= logIn().finally(() => {
      pending = undefined
    })
    return pending
  }
}

function passwordAuth(credentials: ServiceCredentials) {
  const userDomain = { name: credentials.userDomainName ?? 'Default' }
  const projectDomain = { name: credentials.projectDomainName ?? 'Default' }
  const user = { name: credentials.username, password: credentials.password, domain: userDomain }
  return {
    identity: { methods: ['password'], password: { user } },
    scope: { project: { name: credentials.projectName, domain: projectDomain } },
  }
}

export interface RemoteValidatorOptions {
  /** For how long an answer is believed; a revoked token may live on as long. */
  cacheSeconds?: number
  capacity?: number
  clock?: Clock
}

/** Validates tokens by asking identity, Kilonova's or any keystone; answers are kept for a while. */
export function remoteValidator(
  send: Send,
  serviceToken: TokenSource,
  options: RemoteValidatorOptions = {},
): TokenValidator {
  const clock = options.clock ?? systemClock
  const kept = new Map<string, { context: AuthContext | undefined; until: number }>()
  const ask = async (token: string): Promise<AuthContext | undefined> => {
    const reply = await send({
      method: 'GET',
      path: '/v3/auth/tokens?nocatalog',
      headers: {
        'x-auth-token': await serviceToken(),
        'x-subject-token': token,
        'openstack-identity-access-rules': '1.0',
      },
    })
    if (reply.status === 404) return undefined
    if (reply.status === 200) return contextOf(token, reply.body as TokenBody)
    throw new Fault('unavailable', `Identity cannot validate tokens now: status ${reply.status}.`, {
      status: reply.status,
    })
  }
  return {
    async validate(token) {
      const known = kept.get(token)
      if (known !== undefined && clock.now() < known.until) return known.context
      const context = await ask(token)
      if (kept.size >= (options.capacity ?? 4000)) kept.delete(kept.keys().next().value ?? '')
      const believed = clock.now() + (options.cacheSeconds ?? 30) * 1000
      kept.delete(token)
      kept.set(token, { context, until: Math.min(believed, context?.expiresAt ?? believed) })
      return context
    },
  }
}

function contextOf(token: string, body: TokenBody): AuthContext {
  const { user, project, domain, system, roles, application_credential } = body.token
  return {
    userId: user.id,
    userName: user.name,
    userDomainId: user.domain.id,
    userDomainName: user.domain.name,
    projectId: project?.id ?? null,
    projectName: project?.name ?? null,
    projectDomainId: project?.domain.id ?? null,
    projectDomainName: project?.domain.name ?? null,
    domainId: domain?.id ?? null,
    domainName: domain?.name ?? null,
    systemScope: system?.all === true,
    roles: (roles ?? []).map((role) => role.name.toLowerCase()),
    expiresAt: Date.parse(body.token.expires_at),
    token,
    accessRules: application_credential?.access_rules,
    extra: {
      methods: body.token.methods,
      auditId: body.token.audit_ids[0],
      applicationCredentialId: application_credential?.id,
    },
  }
}

/** Where a service is, by the catalog of the caller's token; `unavailable` when the catalog does not have it. */
export async function findEndpoint(
  send: Send,
  token: TokenSource,
  wanted: { type: string; interface?: string; region?: string },
): Promise<string> {
  const reply = await send({
    method: 'GET',
    path: '/v3/auth/catalog',
    headers: { 'x-auth-token': await token() },
  })
  const catalog = (reply.body as { catalog?: readonly CatalogService[] } | undefined)?.catalog ?? []
  const endpoints = catalog
    .filter((service) => service.type === wanted.type)
    .flatMap((service) => service.endpoints)
  const found = endpoints.find(
    (endpoint) =>
      endpoint.interface === (wanted.interface ?? 'internal') &&
      (wanted.region === undefined || endpoint.region_id === wanted.region),
  )
  if (found !== undefined) return found.url
  throw new Fault(
    'unavailable',
    `The catalog has no ${wanted.interface ?? 'internal'} endpoint of ${wanted.type}.`,
  )
}
