/** `POST /v3/auth/tokens`: from credentials and a wanted scope to a token. */
import { randomBytes } from 'node:crypto'
import { type Clock, systemClock } from '#base/clock.ts'
import { Fault, isFault } from '#base/errors.ts'
import { findProject, findProjectByName, type ProjectRow } from '../store/projects.ts'
import { consumeTrust, getTrust, type TrustRow } from '../store/trusts.ts'
import { getUser } from '../store/users.ts'
import {
  type AuthenticationDeps,
  authenticate,
  type Credentials,
  expecting,
  type Identified,
  lookUpDomain,
  type Reference,
} from './authenticate.ts'
import type { Claims, Scope } from './claims.ts'
import type { SignedRequest } from './oauth1-signature.ts'
import { refused } from './standing.ts'
import type { KnownToken } from './validator.ts'

export interface IssueDeps extends AuthenticationDeps {
  clock?: Clock
  /** How long a token lasts. */
  tokenSeconds: number
}

export interface WantedScope {
  project?: Reference
  domain?: Reference
  system?: { all?: boolean }
  unscoped?: unknown
  'OS-TRUST:trust'?: { id?: string }
}

export interface AuthRequest {
  identity: Credentials
  scope?: WantedScope | string
}

/** The request counts where it is signed itself, as with OAuth 1.0a. */
export async function issueToken(
  deps: IssueDeps,
  auth: AuthRequest,
  request: Omit<SignedRequest, 'now'>,
): Promise<KnownToken> {
  const { identity } = auth
  if (identity.methods.includes('application_credential') && auth.scope !== undefined) {
    throw new Fault(
      'unauthenticated',
      'Error authenticating with application credential: Application credentials cannot request a scope.',
      { identity: {} },
    )
  }
  const signed = { ...request, now: (deps.clock ?? systemClock).now() }
  const identified = await authenticate(deps, identity, signed)
  const { scope, trust } = await settleScope(deps, auth.scope, identified)
  if (scope !== undefined) return issueScoped(deps, identified, scope, trust)
  return issueForDefaultProject(deps, claimsFor(deps, identified, undefined, undefined))
}

/** A token for who was identified otherwise than by a login, as the holder of an EC2 credential. */
export async function issueForProject(
  deps: IssueDeps,
  identified: Identified,
  projectId: string,
  trust: TrustRow | undefined,
): Promise<KnownToken> {
  return issueScoped(deps, identified, { kind: 'project', id: projectId }, trust)
}

async function issueScoped(
  deps: IssueDeps,
  identified: Identified,
  scope: Scope,
  trust: TrustRow | undefined,
): Promise<KnownToken> {
  const known = await deps.validator.issue(claimsFor(deps, identified, scope, trust))
  if (trust !== undefined && trust.remaining_uses !== null && !(await consumeTrust(deps.db, trust.id))) {
    throw new Fault('forbidden', `No remaining uses for trust: ${trust.id}.`)
  }
  return known
}

// Without a scope the user's default project is meant, where the user may use it.
async function issueForDefaultProject(deps: IssueDeps, claims: Claims): Promise<KnownToken> {
  const user = await getUser(deps.db, claims.userId)
  if (user.default_project_id !== null) {
    try {
      return await deps.validator.issue({
        ...claims,
        scope: { kind: 'project', id: user.default_project_id },
      })
    } catch (error) {
      if (!isFault(error, 'unauthenticated')) throw error
    }
  }
  return deps.validator.issue(claims)
}

function claimsFor(
  deps: IssueDeps,
  identified: Identified,
  scope: Scope | undefined,
  trust: TrustRow | undefined,
): Claims {
  const { origin, applicationCredential, accessToken } = identified
  const now = (deps.clock ?? systemClock).now()
  const wholeSeconds = Math.ceil((now + deps.tokenSeconds * 1000) / 1000) * 1000
  const ends = [
    origin?.expiresAt ?? wholeSeconds,
    ...[applicationCredential?.expires_at, accessToken?.expires_at, trust?.expires_at].flatMap((at) =>
      at === null || at === undefined ? [] : [Date.parse(at)],
    ),
  ]
  return {
    userId: identified.userId,
    methods: identified.methods,
    scope: scope ?? { kind: 'unscoped' },
    auditId: randomBytes(16).toString('base64url'),
    issuedAt: now,
    expiresAt: Math.min(...ends),
    ...(trust === undefined ? {} : { trustId: trust.id }),
    ...(applicationCredential === undefined ? {} : { applicationCredentialId: applicationCredential.id }),
    ...(accessToken === undefined ? {} : { accessTokenId: accessToken.id }),
    ...(origin === undefined ? {} : { parentAuditId: origin.parentAuditId ?? origin.auditId }),
  }
}

async function settleScope(
  deps: IssueDeps,
  wanted: WantedScope | string | undefined,
  identified: Identified,
): Promise<{ scope?: Scope; trust?: TrustRow }> {
  if (identified.applicationCredential !== undefined) {
    return { scope: { kind: 'project', id: identified.applicationCredential.project_id } }
  }
  if (identified.accessToken !== undefined) {
    return { scope: { kind: 'project', id: identified.accessToken.project_id } }
  }
  if (wanted === undefined) return {}
  if (wanted === 'unscoped') return { scope: { kind: 'unscoped' } }
  const kinds = ['project', 'domain', 'unscoped', 'system', 'OS-TRUST:trust'] as const
  const named = typeof wanted === 'string' ? [] : kinds.filter((kind) => wanted[kind] !== undefined)
  if (typeof wanted === 'string' || named.length !== 1) {
    throw expecting('system, project, domain, OS-TRUST:trust or unscoped', 'scope')
  }
  if (wanted.system !== undefined) return { scope: { kind: 'system' } }
  if (wanted.unscoped !== undefined) return { scope: { kind: 'unscoped' } }
  if (wanted.domain !== undefined) {
    const domain = await lookUpDomain(deps.db, wanted.domain)
    if (domain === undefined) throw refused('Could not find the domain of the scope.')
    return { scope: { kind: 'domain', id: domain.id } }
  }
  if (wanted.project !== undefined) {
    const project = await lookUpProject(deps, wanted.project)
    if (project === undefined) throw refused('Could not find the project of the scope.')
    return { scope: { kind: 'project', id: project.id } }
  }
  return settleTrust(deps, wanted['OS-TRUST:trust']?.id, identified)
}

async function settleTrust(deps: IssueDeps, id: string | undefined, identified: Identified) {
  if (id === undefined) throw expecting('trust_id', 'trust')
  const now = new Date((deps.clock ?? systemClock).now()).toISOString()
  const trust = await getTrust(deps.db, id, now).catch((error: unknown) => {
    throw isFault(error, 'not-found') ? refused(error.message) : error
  })
  if (trust.trustee_user_id !== identified.userId)
    throw new Fault('forbidden', 'You are not authorized to perform the requested action.')
  const scope: Scope =
    trust.project_id === null ? { kind: 'unscoped' } : { kind: 'project', id: trust.project_id }
  return { scope, trust }
}

async function lookUpProject(deps: IssueDeps, given: Reference): Promise<ProjectRow | undefined> {
  if (given.name === undefined) {
    return given.id === undefined ? undefined : findProject(deps.db, given.id)
  }
  if (given.domain === undefined) throw expecting('domain', 'project')
  const domain = await lookUpDomain(deps.db, given.domain)
  return domain === undefined ? undefined : findProjectByName(deps.db, given.name, domain.id)
}
