import { type TSchema, Type } from 'typebox'
import { Fault } from '#base/errors.ts'
import type { Route } from '#base/http/route.ts'
import { type AuthRequest, issueToken } from '../../tokens/issue-token.ts'
import type { KnownToken } from '../../tokens/validator.ts'
import { isSet } from '../collection.ts'
import { assertBody, type IdentityDeps, type IdentityRequest, type IdentityRoute } from '../identity-route.ts'

const optional = (properties: Record<string, TSchema>, required: string[] = []): TSchema =>
  Type.Unsafe({ type: 'object', properties, required })
const text = Type.String()
const domain = optional({ id: text, name: text })
const user = optional({ id: text, name: text, password: text, domain })
const authSchema = optional(
  {
    identity: optional(
      {
        methods: Type.Array(text),
        password: optional({ user }),
        token: optional({ id: text }, ['id']),
        application_credential: optional({ id: text, name: text, secret: text, user }),
      },
      ['methods'],
    ),
    scope: Type.Unsafe({
      type: ['object', 'string'],
      properties: {
        project: optional({ id: text, name: text, domain }),
        domain,
        system: optional({ all: Type.Boolean() }),
        'OS-TRUST:trust': optional({ id: text }),
      },
    }),
  },
  ['identity'],
)

/** How long after its end `allow_expired` still shows a token: long-running work may outlive it. */
const graceSeconds = 48 * 3600

/** Logging in is the one thing that needs no token. */
export const loginRoute: Route<IdentityDeps> = {
  post: '/v3/auth/tokens',
  policy: null,
  status: 201,
  async handler(request: IdentityRequest, deps) {
    const auth = (request.body as { auth?: AuthRequest } | undefined)?.auth
    if (auth === undefined || auth === null) {
      throw new Fault(
        'invalid',
        'Expecting to find auth in request body. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.',
      )
    }
    assertBody(authSchema, auth)
    return answer(request, await issueToken(deps, auth, signedPart(request)))
  },
}

/** Of a request that may be signed: what its signature covers. */
export const signedPart = (request: IdentityRequest) => ({
  method: request.method,
  url: request.origin + request.url,
  authorization: request.headers['authorization'] as string | undefined,
})

function answer(request: IdentityRequest, known: KnownToken): string {
  request.setHeader('x-subject-token', known.context.token)
  request.setHeader('content-type', 'application/json')
  return 'nocatalog' in request.query ? known.bodyWithoutCatalog : known.body
}

const subjectOf = (request: IdentityRequest): string => {
  const token = request.headers['x-subject-token']
  return typeof token === 'string' ? token : ''
}

/** Throws `not-found`, whoever asks, when the subject is no token any more. */
async function subject(request: IdentityRequest, deps: IdentityDeps): Promise<KnownToken> {
  const grace = isSet(request, 'allow_expired') ? graceSeconds : 0
  const known = await deps.validator.inspect(subjectOf(request), grace)
  if (known === undefined) throw noSuchToken()
  return known
}

async function target(request: IdentityRequest, deps: IdentityDeps): Promise<Record<string, unknown>> {
  const { context } = await subject(request, deps)
  return { target: { token: { user_id: context.userId } } }
}

async function showToken(request: IdentityRequest, deps: IdentityDeps): Promise<string> {
  const known = await subject(request, deps)
  if (!understandsAccessRules(request, known)) throw noSuchToken()
  return answer(request, known)
}

// A service that does not check access rules must not take a token that has some.
function understandsAccessRules(request: IdentityRequest, known: KnownToken): boolean {
  const rules = known.standing.applicationCredential?.accessRules ?? null
  return rules === null || Number(request.headers['openstack-identity-access-rules']) >= 1
}

const noSuchToken = (): Fault => new Fault('not-found', 'Could not find token.')

export const tokenRoutes: readonly IdentityRoute[] = [
  { get: '/v3/auth/tokens', rule: 'identity:validate_token', target, handler: showToken, quiet: true },
  {
    head: '/v3/auth/tokens',
    rule: 'identity:check_token',
    target,
    async handler(request, deps) {
      await showToken(request, deps)
      return undefined
    },
    status: 200,
  },
  {
    delete: '/v3/auth/tokens',
    rule: 'identity:revoke_token',
    target,
    leavesTokens: true,
    async handler(request, deps) {
      const { claims } = await subject(request, deps)
      await deps.state.revoke({ audit_id: claims.auditId })
    },
  },
]
