/** How other services use identity: validating tokens, getting one's own, and finding endpoints. */
import { Readable } from 'node:stream'
import type { AccessRule, AuthContext, TokenValidator } from '#base/auth/context.ts'
import { type Clock, systemClock } from '#base/clock.ts'
import { Fault } from '#base/errors.ts'
import type { HttpReply, Send } from '#base/http/client.ts'
import type { SharedTokenCache } from './client/token-cache.ts'

/** Gives a token that is valid for a while yet; services call each other with it. */
export interface TokenSource {
  (): Promise<string>
  /** Gives another in the place of one that this source gave last; undefined for any other, such as a user's. */
  renew?(refused: string): Promise<string> | undefined
}

/** A user or project by id, or by name in a domain; the default domain unless one is named. */
interface Named {
  id: string | null
  name: string | null
  domainId: string | null
  domainName: string | null
}

export type ServiceCredentials =
  | {
      kind: 'password'
      user: Named
      password: string
      scope: ({ kind: 'project' } & Named) | { kind: 'system' }
    }
  | { kind: 'application credential'; id: string | null; name: string | null; secret: string; user: Named }

export interface PasswordCredentials {
  username: string
  password: string
  projectName: string
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

/** Logs in a user of the default domain with a password. */
export const passwordAuthenticator = (
  send: Send,
  { username, password, projectName }: PasswordCredentials,
  clock?: Clock,
): TokenSource => {
  const named = (name: string): Named => ({ id: null, name, domainId: null, domainName: null })
  const scope = { kind: 'project', ...named(projectName) } as const
  return authenticator(send, { kind: 'password', user: named(username), password, scope }, clock)
}

/** Logs in, and again before the token ends; callers at the same time share one login. */
export function authenticator(
  send: Send,
  credentials: ServiceCredentials,
  clock: Clock = systemClock,
): TokenSource {
  let held: { token: string; renewAt: number } | undefined
  let pending: Promise<string> | undefined
  const body = { auth: authOf(credentials) }
  const logIn = async (): Promise<string> => {
    const reply = await send({ method: 'POST', path: '/v3/auth/tokens?nocatalog', body })
    const token = reply.headers['x-subject-token']
    if (reply.status !== 201 || token === undefined) throw notLoggedIn(credentials, reply)
    const lifetime = Date.parse((reply.body as TokenBody).token.expires_at) - clock.now()
    held = { token, renewAt: clock.now() + Math.max(lifetime / 2, lifetime - renewalMilliseconds) }
    return token
  }
  const logInOnce = () => {
    pending ??= logIn().finally(() => {
      pending = undefined
    })
    return pending
  }
  const source = async () => {
    if (held !== undefined && clock.now() < held.renewAt) return held.token
    return logInOnce()
  }
  return Object.assign(source, {
    renew: (refused: string) => (held?.token === refused ? logInOnce() : undefined),
  })
}

function notLoggedIn(credentials: ServiceCredentials, { status, body }: HttpReply): Fault {
  const who = credentials.user.name ?? credentials.user.id ?? 'the application credential'
  const said = (body as { error?: { message?: string } } | undefined)?.error?.message
  return new Fault(
    // A password that is wrong here is no fault of who asks us something.
    'unavailable',
    `Identity gave no token to ${who}: status ${status}${said === undefined ? '.' : `: ${said}`}`,
    { status },
  )
}

function authOf(credentials: ServiceCredentials): object {
  if (credentials.kind === 'application credential') {
    const { id, name, secret, user } = credentials
    const which = id === null ? { name, user: reference(user) } : { id }
    const methods = ['application_credential']
    return { identity: { methods, application_credential: { ...which, secret } } }
  }
  const { user, password, scope } = credentials
  return {
    identity: { methods: ['password'], password: { user: { ...reference(user), password } } },
    scope: scope.kind === 'system' ? { system: { all: true } } : { project: reference(scope) },
  }
}

function reference({ id, name, domainId, domainName }: Named): object {
  if (id !== null) return { id }
  if (domainId === null && domainName !== null) return { name, domain: { name: domainName } }
  return { name, domain: { id: domainId ?? 'default' } }
}

export interface RemoteValidatorOptions {
  /** For how long an answer is believed; a revoked token may live on as long. */
  cacheSeconds?: number
  capacity?: number
  /** What other processes found out; beside what this one remembers. */
  shared?: SharedTokenCache
  clock?: Clock
}

/** A call with a token of `source` that is refused is made again with a new one: identity may have been set up anew. */
export function withFreshToken(send: Send, source: TokenSource): Send {
  return async (call) => {
    const reply = await send(call)
    const used = call.headers?.['x-auth-token']
    if (reply.status !== 401 || used === undefined || call.body instanceof Readable) return reply
    const fresh = await source.renew?.(used)
    if (fresh === undefined) return reply
    return await send({ ...call, headers: { ...call.headers, 'x-auth-token': fresh } })
  }
}

/** Validates tokens by asking identity, Kilonova's or any keystone; answers are kept for a while. */
export function remoteValidator(
  send: Send,
  serviceToken: TokenSource,
  options: RemoteValidatorOptions = {},
): TokenValidator {
  const clock = options.clock ?? systemClock
  const identity = withFreshToken(send, serviceToken)
  const kept = new Map<string, { context: AuthContext | undefined; until: number }>()
  const { shared, cacheSeconds = 30, capacity = 4000 } = options
  const keep = (token: string, context: AuthContext | undefined, until: number): void => {
    kept.delete(token)
    if (kept.size >= capacity) kept.delete(kept.keys().next().value ?? '')
    kept.set(token, { context, until })
  }
  const ask = async (token: string): Promise<AuthContext | undefined> => {
    const reply = await identity({
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
      const told = cacheSeconds > 0 ? await shared?.find(token) : undefined
      if (told !== undefined && clock.now() < told.until) {
        keep(token, told.context, told.until)
        return told.context
      }
      const context = await ask(token)
      const believed = clock.now() + cacheSeconds * 1000
      const until = Math.min(believed, context?.expiresAt ?? believed)
      keep(token, context, until)
      // Nobody waits for others to be told.
      if (context !== undefined && cacheSeconds > 0) void shared?.remember(token, { context, until })
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
  wanted: { type: string; interfaces?: readonly string[]; region?: string },
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
    .filter((endpoint) => wanted.region === undefined || endpoint.region_id === wanted.region)
  const { interfaces = ['internal', 'public'] } = wanted
  for (const kind of interfaces) {
    const found = endpoints.find((endpoint) => endpoint.interface === kind)
    if (found !== undefined) return found.url
  }
  const where = wanted.region === undefined ? '' : ` in region ${wanted.region}`
  throw new Fault(
    'unavailable',
    `The catalog has no ${interfaces.join(' or ')} endpoint of ${wanted.type}${where}.`,
  )
}
