/** OAuth 2.0's client credentials grant (RFC 6749, 4.4): the client is an application credential. */
import { Fault, isFault } from '#base/errors.ts'
import type { Route } from '#base/http/route.ts'
import { issueToken } from '../../tokens/issue-token.ts'
import type { KnownToken } from '../../tokens/validator.ts'
import { signedPart } from '../auth/tokens.routes.ts'
import type { IdentityDeps, IdentityRequest } from '../identity-route.ts'

/** Longer than any form of this grant. */
const maxFormBytes = 16_384

const refuse = (kind: 'invalid' | 'unauthenticated', oauth2: string, message: string): Fault =>
  new Fault(kind, message, { oauth2 })

const invalidClient = (message: string): Fault => refuse('unauthenticated', 'invalid_client', message)

/** The name and secret of HTTP's basic authentication. */
function clientOf({ headers }: IdentityRequest): { id: string; secret: string } {
  const [scheme, encoded] = String(headers['authorization'] ?? '').split(' ')
  if (scheme === '') throw invalidClient('OAuth2.0 client authorization is required.')
  if (scheme?.toLowerCase() !== 'basic') {
    throw invalidClient(`OAuth2.0 client authorization type ${scheme} is not supported.`)
  }
  const [, id, secret] = /^([^:]+):(.+)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? []
  if (id === undefined || secret === undefined) {
    throw invalidClient('OAuth2.0 client authorization is invalid.')
  }
  return { id, secret }
}

async function readForm({ stream }: IdentityRequest): Promise<URLSearchParams> {
  let text = ''
  for await (const chunk of stream) {
    text += String(chunk)
    if (text.length > maxFormBytes) throw new Fault('too-large', 'Request is too large.')
  }
  return new URLSearchParams(text)
}

async function createToken(request: IdentityRequest, deps: IdentityDeps) {
  const application_credential = clientOf(request)
  const grant = (await readForm(request)).get('grant_type')
  if (grant === null) throw refuse('invalid', 'invalid_request', 'The parameter grant_type is required.')
  if (grant !== 'client_credentials') {
    throw refuse('invalid', 'unsupported_grant_type', `The parameter grant_type ${grant} is not supported.`)
  }
  const identity = { methods: ['application_credential'], application_credential }
  const { context, claims } = await issueToken(deps, { identity }, signedPart(request)).catch(asOauth2)
  const expires_in = Math.floor((claims.expiresAt - deps.clock.now()) / 1000)
  return { access_token: context.token, token_type: 'Bearer', expires_in }
}

function asOauth2(error: unknown): KnownToken {
  if (isFault(error, 'unauthenticated')) throw invalidClient(error.message)
  if (isFault(error, 'invalid')) throw refuse('invalid', 'invalid_request', error.message)
  throw error
}

export const oauth2Route: Route<IdentityDeps> = {
  post: '/v3/OS-OAUTH2/token',
  policy: null,
  rawBody: true,
  status: 200,
  handler: createToken,
}
