/**
 * How a consumer comes by an access token: it asks for a request token, a user authorizes that and hands the verifier
 * on, and the consumer exchanges both. Consumer and exchange are known by their signatures alone.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { timestamp } from '#base/clock.ts'
import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import type { Route } from '#base/http/route.ts'
import { newHexId } from '#base/ids.ts'
import { effectiveProjectRoles } from '../../store/assignments.ts'
import {
  authorizeRequestToken,
  exchangeRequestToken,
  findConsumer,
  getConsumer,
  getRequestToken,
  insertRequestToken,
  type RequestTokenRow,
} from '../../store/oauth1.ts'
import { getProject } from '../../store/projects.ts'
import { expecting } from '../../tokens/authenticate.ts'
import {
  assertWellFormed,
  isSignedWith,
  type OauthParameters,
  oauthParameters,
  type SignedRequest,
} from '../../tokens/oauth1-signature.ts'
import { refused } from '../../tokens/standing.ts'
import { RoleReferences, roleIdsOf } from '../application-credentials/application-credentials.routes.ts'
import { signedPart } from '../auth/tokens.routes.ts'
import { forbidDelegated } from '../delegation.ts'
import { assertBody, type IdentityDeps, type IdentityRequest, type IdentityRoute } from '../identity-route.ts'

const requestTokenSeconds = 8 * 3600
const accessTokenSeconds = 24 * 3600
// Without those that are taken for one another when read aloud or typed.
const verifierCharacters = 'abcdefghkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

const later = (deps: IdentityDeps, seconds: number): string =>
  new Date(deps.clock.now() + seconds * 1000).toISOString().replace('Z', '000Z')

function signed(request: IdentityRequest, deps: IdentityDeps): SignedRequest {
  return { ...signedPart(request), now: deps.clock.now() }
}

function needed(parameters: OauthParameters, name: string): string {
  const value = parameters.get(name)
  if (value === undefined || value === '') throw expecting(name, 'request')
  return value
}

function answerForm(request: IdentityRequest, id: string, secret: string, expiresAt: string): string {
  request.setHeader('content-type', 'application/x-www-form-urlencoded')
  return `oauth_token=${id}&oauth_token_secret=${secret}&oauth_expires_at=${expiresAt}`
}

async function createRequestToken(request: IdentityRequest, deps: IdentityDeps): Promise<string> {
  const call = signed(request, deps)
  const parameters = oauthParameters(call.authorization)
  const consumerId = needed(parameters, 'oauth_consumer_key')
  const projectId = request.headers['requested-project-id']
  if (typeof projectId !== 'string' || projectId === '') throw expecting('Requested-Project-Id', 'request')
  assertWellFormed(parameters, call)
  const consumer = await getConsumer(deps.db, consumerId)
  if (!isSignedWith(parameters, call, { consumer: deps.cipher.decrypt(consumer.secret) })) {
    throw refused('Invalid signature')
  }
  const project = await getProject(deps.db, projectId)
  if (parameters.get('oauth_callback') === undefined) {
    throw new Fault(
      'invalid',
      'Validation failed with errors: invalid_request, detail message is: Missing callback URI.',
    )
  }
  const secret = randomBytes(16).toString('hex')
  const row: RequestTokenRow = {
    id: newHexId(),
    request_secret: deps.cipher.encrypt(secret),
    verifier: null,
    authorizing_user_id: null,
    requested_project_id: project.id,
    role_ids: null,
    consumer_id: consumer.id,
    expires_at: later(deps, requestTokenSeconds),
  }
  await insertRequestToken(deps.db, row, timestamp(deps.clock))
  return answerForm(request, row.id, secret, row.expires_at)
}

async function authorize(request: IdentityRequest<{ roles?: unknown } | undefined>, deps: IdentityDeps) {
  const roles = request.body?.roles ?? []
  assertBody(RoleReferences, roles)
  forbidDelegated(request, 'Cannot authorize a request token with a token issued via delegation')
  const row = await usable(deps, request.params['request_token_id']!)
  const roleIds = await roleIdsOf(deps, roles as { id?: string; name?: string }[])
  const { userId } = request.context
  const project = await getProject(deps.db, row.requested_project_id)
  const held = new Set((await effectiveProjectRoles(deps.db, userId, project)).map((role) => role.id))
  if (!roleIds.every((id) => held.has(id))) throw refused('authorizing user does not have role required')
  const verifier = Array.from({ length: 8 }, () => verifierCharacters[randomInt(verifierCharacters.length)])
  await authorizeRequestToken(deps.db, row.id, {
    authorizing_user_id: userId,
    role_ids: JSON.stringify(roleIds),
    verifier: verifier.join(''),
  })
  return { token: { oauth_verifier: verifier.join('') } }
}

async function createAccessToken(request: IdentityRequest, deps: IdentityDeps): Promise<string> {
  const call = signed(request, deps)
  const parameters = oauthParameters(call.authorization)
  const consumerId = needed(parameters, 'oauth_consumer_key')
  const requestTokenId = needed(parameters, 'oauth_token')
  const verifier = needed(parameters, 'oauth_verifier')
  assertWellFormed(parameters, call)
  const row = await usable(deps, requestTokenId)
  const consumer = await findConsumer(deps.db, consumerId)
  if (consumer === undefined || row.consumer_id !== consumer.id)
    throw refused('It is not the consumer’s token.')
  const secrets = {
    consumer: deps.cipher.decrypt(consumer.secret),
    token: deps.cipher.decrypt(row.request_secret),
  }
  if (!isSignedWith(parameters, call, secrets)) throw refused('Invalid signature')
  if (row.authorizing_user_id === null || row.verifier !== verifier) {
    throw refused('Provided verifier does not match stored verifier')
  }
  const secret = randomBytes(16).toString('hex')
  const access = {
    id: newHexId(),
    access_secret: deps.cipher.encrypt(secret),
    authorizing_user_id: row.authorizing_user_id,
    project_id: row.requested_project_id,
    role_ids: row.role_ids!,
    consumer_id: consumer.id,
    expires_at: later(deps, accessTokenSeconds),
  }
  const isFirst = await inTransaction(deps.db, (transaction) =>
    exchangeRequestToken(transaction, row.id, access),
  )
  if (!isFirst) throw refused('The request token was used before.')
  return answerForm(request, access.id, secret, access.expires_at)
}

async function usable(deps: IdentityDeps, id: string): Promise<RequestTokenRow> {
  const row = await getRequestToken(deps.db, id)
  if (row.expires_at > timestamp(deps.clock)) return row
  throw refused('Request token is expired')
}

/** Those that a consumer calls, which has no token. */
export const handshakeRoutes: readonly Route<IdentityDeps>[] = [
  {
    post: '/v3/OS-OAUTH1/request_token',
    policy: null,
    rawBody: true,
    status: 201,
    handler: createRequestToken,
  },
  {
    post: '/v3/OS-OAUTH1/access_token',
    policy: null,
    rawBody: true,
    status: 201,
    handler: createAccessToken,
  },
]

/** What the user does in between. */
export const authorizeRoute: IdentityRoute = {
  put: '/v3/OS-OAUTH1/authorize/:request_token_id',
  rule: 'identity:authorize_request_token',
  leavesTokens: true,
  handler: authorize,
}
