/** Who somebody is, by each method of `POST /v3/auth/tokens`. */
import type { Kysely } from 'kysely'
import { Fault } from '#base/errors.ts'
import type { CredentialCipher } from '../credential-cipher.ts'
import type { PasswordHasher } from '../passwords.ts'
import {
  type ApplicationCredentialRow,
  findApplicationCredential,
  listApplicationCredentials,
} from '../store/application-credentials.ts'
import { type AccessTokenRow, findAccessToken, findConsumer } from '../store/oauth1.ts'
import { findDomain, findDomainByName, type ProjectRow } from '../store/projects.ts'
import type { Tables } from '../store/tables.ts'
import { findUser, findUserByName, type UserRow } from '../store/users.ts'
import type { Claims } from './claims.ts'
import { assertWellFormed, isSignedWith, oauthParameters, type SignedRequest } from './oauth1-signature.ts'
import { refused } from './standing.ts'
import type { LocalValidator } from './validator.ts'

export interface Reference {
  id?: string
  name?: string
  domain?: Reference
}

export interface Credentials {
  methods: readonly string[]
  password?: { user?: Reference & { password?: string } }
  token?: { id: string }
  application_credential?: Reference & { secret?: string; user?: Reference }
  oauth1?: unknown
  [method: string]: unknown
}

/** What the methods found out together. */
export interface Identified {
  userId: string
  methods: readonly string[]
  /** Set by the token method: the new token ends with the old and belongs to its chain. */
  origin?: Claims
  applicationCredential?: ApplicationCredentialRow
  accessToken?: AccessTokenRow
}

export interface AuthenticationDeps {
  db: Kysely<Tables>
  passwords: PasswordHasher
  validator: LocalValidator
  cipher: CredentialCipher
}

type Method = (
  deps: AuthenticationDeps,
  credentials: Credentials,
  request: SignedRequest,
) => Promise<Identified>

const methods: Readonly<Record<string, Method>> = {
  password: byPassword,
  token: byToken,
  application_credential: byApplicationCredential,
  oauth1: byAccessToken,
}

/** Every method that is named must agree on who it is. */
export async function authenticate(
  deps: AuthenticationDeps,
  credentials: Credentials,
  request: SignedRequest,
): Promise<Identified> {
  const named = [...new Set(credentials.methods)]
  for (const name of named) if (credentials[name] === undefined) throw expecting(name, 'identity')
  if (named.length === 0) throw refused('No method was named.')
  let identified: Identified | undefined
  for (const name of named) {
    const method = methods[name]
    if (method === undefined) throw unsupportedMethod()
    const found = await method(deps, credentials, request)
    if (identified !== undefined && identified.userId !== found.userId) throw refused('The methods disagree.')
    const all = new Set([...(identified?.methods ?? []), ...found.methods])
    identified = { ...identified, ...found, methods: [...all] }
  }
  return identified!
}

function unsupportedMethod(): Fault {
  return new Fault('unauthenticated', 'Attempted to authenticate with an unsupported method.', {
    identity: { methods: Object.keys(methods) },
  })
}

async function byPassword(deps: AuthenticationDeps, credentials: Credentials): Promise<Identified> {
  const given = credentials.password?.user
  if (given === undefined) throw expecting('user', 'password')
  const { user, reason } = await lookUpUser(deps, given)
  const right = await deps.passwords.verify(given.password ?? '', user?.password_hash)
  if (user === undefined || !right) throw refused(reason ?? 'Invalid username or password')
  if (user.password_expires_at !== null && user.password_expires_at <= new Date().toISOString()) {
    throw new Fault(
      'unauthenticated',
      `The password is expired and needs to be changed for user: ${user.id}.`,
    )
  }
  return { userId: user.id, methods: ['password'] }
}

async function byToken(deps: AuthenticationDeps, credentials: Credentials): Promise<Identified> {
  const text = credentials.token?.id
  if (text === undefined) throw expecting('token', 'identity')
  const known = await deps.validator.inspect(text)
  if (known === undefined) throw refused('The token is not valid.')
  const { claims } = known
  // A delegation that could be traded for another token would escape its limits.
  const delegations = [claims.trustId, claims.applicationCredentialId, claims.accessTokenId]
  if (delegations.some((id) => id !== undefined)) {
    throw new Fault('forbidden', 'You are not authorized to perform the requested action.')
  }
  return { userId: claims.userId, methods: [...claims.methods, 'token'], origin: claims }
}

async function byApplicationCredential(
  deps: AuthenticationDeps,
  credentials: Credentials,
): Promise<Identified> {
  const given = credentials.application_credential ?? {}
  const row = await lookUpCredential(deps, given)
  const right = await deps.passwords.verify(given.secret ?? '', row?.secret_hash)
  if (row === undefined || !right) throw refused('Invalid application credential ID or secret.')
  return { userId: row.user_id, methods: ['application_credential'], applicationCredential: row }
}

// The login request itself is signed, with the secrets of the consumer and of the access token.
async function byAccessToken(
  deps: AuthenticationDeps,
  _credentials: Credentials,
  request: SignedRequest,
): Promise<Identified> {
  const parameters = oauthParameters(request.authorization)
  const id = parameters.get('oauth_token')
  if (id === undefined) throw expecting('oauth_token', 'request')
  assertWellFormed(parameters, request)
  const accessToken = await findAccessToken(deps.db, id)
  if (accessToken === undefined) throw refused('There is no such access token.')
  const consumer = await findConsumer(deps.db, accessToken.consumer_id)
  const secrets = {
    consumer: deps.cipher.decrypt(consumer!.secret),
    token: deps.cipher.decrypt(accessToken.access_secret),
  }
  const isOfConsumer = parameters.get('oauth_consumer_key') === accessToken.consumer_id
  if (!isOfConsumer || !isSignedWith(parameters, request, secrets)) throw refused('Invalid signature')
  return { userId: accessToken.authorizing_user_id, methods: ['oauth1'], accessToken }
}

async function lookUpCredential(
  deps: AuthenticationDeps,
  given: Reference & { user?: Reference },
): Promise<ApplicationCredentialRow | undefined> {
  if (given.id !== undefined) return findApplicationCredential(deps.db, given.id)
  if (given.name === undefined) throw expecting('name or ID', 'application credential')
  if (given.user === undefined) throw expecting('user', 'application credential')
  const { user } = await lookUpUser(deps, given.user)
  if (user === undefined) return undefined
  const [row] = await listApplicationCredentials(deps.db, user.id, { name: given.name })
  return row
}

async function lookUpUser(
  deps: AuthenticationDeps,
  given: Reference,
): Promise<{ user?: UserRow; reason?: string }> {
  if (given.id !== undefined) {
    const user = await findUser(deps.db, given.id)
    return user === undefined ? { reason: `Could not find user: ${given.id}.` } : { user }
  }
  if (given.name === undefined) throw expecting('id or name', 'user')
  if (given.domain === undefined) throw expecting('domain', 'user')
  const domain = await lookUpDomain(deps.db, given.domain)
  const user = domain === undefined ? undefined : await findUserByName(deps.db, given.name, domain.id)
  return user === undefined ? { reason: `Could not find user: ${given.name}.` } : { user }
}

export async function lookUpDomain(db: Kysely<Tables>, given: Reference): Promise<ProjectRow | undefined> {
  if (given.name !== undefined) return findDomainByName(db, given.name)
  if (given.id !== undefined) return findDomain(db, given.id)
  throw expecting('id or name', 'domain')
}

export function expecting(attribute: string, target: string): Fault {
  return new Fault(
    'invalid',
    `Expecting to find ${attribute} in ${target}. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.`,
  )
}
