/** For the services that take requests signed as EC2's and S3's: a token of the user whose credential signed one. */
import { timestamp } from '#base/clock.ts'
import { Fault } from '#base/errors.ts'
import { findApplicationCredential } from '../../store/application-credentials.ts'
import { type CredentialRow, findCredential } from '../../store/credentials.ts'
import { findAccessToken } from '../../store/oauth1.ts'
import { getTrust, type TrustRow } from '../../store/trusts.ts'
import type { Identified } from '../../tokens/authenticate.ts'
import {
  type Ec2Request,
  isEc2Signature,
  isS3Signature,
  parseSigningTime,
  signingTime,
} from '../../tokens/ec2-signature.ts'
import { issueForProject } from '../../tokens/issue-token.ts'
import { refused } from '../../tokens/standing.ts'
import type { KnownToken } from '../../tokens/validator.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { type Ec2Blob, ec2CredentialId, parseEc2Blob } from './credential.ts'

/** How old a signature may be. */
const lifetimeSeconds = 15 * 60

/** The body under any of the keys that keystone takes; what is no text in it is left out. */
interface Signed extends Ec2Request {
  access: string
  signature: string
  /** S3: the text that was signed, in base64. */
  token: string
}

type Wire = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Wire =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const strings = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(isObject(value) ? value : {}).map(([name, given]) => [name, String(given)]),
  )

function signedOf({ body }: IdentityRequest<unknown>): Signed {
  if (!isObject(body) || Object.keys(body).length === 0) {
    throw new Fault('invalid', 'request must include a request body')
  }
  const given = body['credentials'] ?? body['credential'] ?? body['ec2Credentials']
  const wire = isObject(given) ? given : {}
  if (text(wire['access']) === '' || text(wire['signature']) === '') {
    throw refused('EC2 signature not supplied.')
  }
  return {
    access: text(wire['access']),
    signature: text(wire['signature']),
    token: text(wire['token']),
    verb: text(wire['verb']),
    host: text(wire['host']),
    path: text(wire['path']),
    params: strings(wire['params']),
    headers: strings(wire['headers']),
    bodyHash: text(wire['body_hash']),
  }
}

async function authenticateSigned(
  deps: IdentityDeps,
  signed: Signed,
  isRight: (secret: string) => boolean,
): Promise<KnownToken> {
  const row = await findCredential(deps.db, ec2CredentialId(signed.access))
  if (row?.type !== 'ec2') throw refused('EC2 access key not found.')
  const blob = parseEc2Blob(deps.cipher.decrypt(row.blob))
  if (!isRight(blob.secret)) throw refused('Invalid EC2 signature.')
  assertFresh(deps, signed)
  if (row.project_id === null) throw refused('The EC2 credential is for no project.')
  const { identified, trust } = await delegationOf(deps, row, blob)
  return issueForProject(deps, identified, row.project_id, trust)
}

function assertFresh(deps: IdentityDeps, signed: Signed): void {
  const at = signingTime(signed)
  if (at === undefined) return
  const signedAt = parseSigningTime(at)
  if (Number.isNaN(signedAt)) throw refused(`Credential timestamp is invalid: ${at}`)
  if (deps.clock.now() > signedAt + lifetimeSeconds * 1000) throw refused('Credential is expired')
}

/**
 * A credential that was made with delegated rights gives no others. Users write credentials themselves, so what one
 * refers to must be their own.
 */
async function delegationOf(
  deps: IdentityDeps,
  row: CredentialRow,
  blob: Ec2Blob,
): Promise<{ identified: Identified; trust?: TrustRow }> {
  const methods = ['ec2credential']
  const own = { userId: row.user_id, methods }
  if (blob.trust_id != null) {
    const trust = await getTrust(deps.db, blob.trust_id, timestamp(deps.clock))
    const isTrustor = trust.impersonation === 1 && trust.trustor_user_id === row.user_id
    const isOwn = isTrustor || trust.trustee_user_id === row.user_id
    if (!isOwn || trust.project_id !== row.project_id) throw refused('The trust is not the credential’s.')
    return { identified: { userId: trust.trustee_user_id, methods }, trust }
  }
  if (blob.app_cred_id != null) {
    const applicationCredential = await findApplicationCredential(deps.db, blob.app_cred_id)
    assertOwn(row, applicationCredential?.user_id, applicationCredential?.project_id)
    return { identified: { ...own, applicationCredential: applicationCredential! } }
  }
  if (blob.access_token_id != null) {
    const accessToken = await findAccessToken(deps.db, blob.access_token_id)
    assertOwn(row, accessToken?.authorizing_user_id, accessToken?.project_id)
    return { identified: { ...own, accessToken: accessToken! } }
  }
  return { identified: own }
}

function assertOwn(row: CredentialRow, userId: string | undefined, projectId: string | undefined): void {
  if (userId === row.user_id && projectId === row.project_id) return
  throw refused('What the EC2 credential was made with is not there, or not of its user and project.')
}

export const ec2TokenRoutes: readonly IdentityRoute[] = [
  {
    post: '/v3/ec2tokens',
    rule: 'identity:ec2tokens_validate',
    status: 200,
    leavesTokens: true,
    async handler(request, deps) {
      const signed = signedOf(request)
      const known = await authenticateSigned(deps, signed, (secret) =>
        isEc2Signature(signed, secret, signed.signature),
      )
      request.setHeader('x-subject-token', known.context.token)
      request.setHeader('content-type', 'application/json')
      return known.body
    },
  },
  {
    post: '/v3/s3tokens',
    rule: 'identity:s3tokens_validate',
    status: 200,
    leavesTokens: true,
    async handler(request, deps) {
      const signed = signedOf(request)
      const known = await authenticateSigned(deps, signed, (secret) =>
        isS3Signature(Buffer.from(signed.token, 'base64url'), secret, signed.signature),
      )
      request.setHeader('content-type', 'application/json')
      return known.body
    },
  },
]
