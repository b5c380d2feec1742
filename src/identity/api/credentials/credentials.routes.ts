import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import {
  type CredentialRow,
  findCredential,
  getCredential,
  insertCredential,
  listCredentials,
  removeCredential,
  updateCredential,
} from '../../store/credentials.ts'
import { extraOf } from '../../store/extra.ts'
import { collection, queried } from '../collection.ts'
import { forbidDelegated } from '../delegation.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import {
  type CredentialBody,
  credentialAttributes,
  credentialCreation,
  credentialUpdate,
  credentialView,
  ec2CredentialId,
  parseEc2Blob,
} from './credential.ts'

const noDelegates = (request: IdentityRequest): void =>
  forbidDelegated(request, 'Delegated tokens cannot access credentials directly')

async function credentialTarget(request: IdentityRequest, deps: IdentityDeps) {
  const row = await findCredential(deps.db, request.params['credential_id']!)
  return row === undefined ? {} : { target: { credential: { user_id: row.user_id } } }
}

const path = '/v3/credentials/:credential_id'

export const credentialRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/credentials',
    rule: 'identity:list_credentials',
    target: ({ context }) =>
      context.systemScope ? {} : { target: { credential: { user_id: context.userId } } },
    leavesTokens: true,
    async handler(request, deps) {
      noDelegates(request)
      const [userId, type] = [queried(request, 'user_id'), queried(request, 'type')]
      const rows = await listCredentials(deps.db, {
        ...(userId === undefined ? {} : { userId }),
        ...(type === undefined ? {} : { type }),
      })
      const visible = rows.filter((row) =>
        request.can('identity:get_credential', { target: { credential: { user_id: row.user_id } } }),
      )
      const views = visible.map((row) => credentialView(request.origin, row, deps))
      return collection(request, 'credentials', views)
    },
  },
  {
    get: path,
    rule: 'identity:get_credential',
    target: credentialTarget,
    async handler(request, deps) {
      const row = await getCredential(deps.db, request.params['credential_id']!)
      noDelegates(request)
      return { credential: credentialView(request.origin, row, deps) }
    },
  },
  {
    post: '/v3/credentials',
    rule: 'identity:create_credential',
    target: (request: IdentityRequest<{ credential?: CredentialBody } | undefined>) => ({
      target: { credential: { user_id: request.body?.credential?.user_id } },
    }),
    body: { key: 'credential', schema: credentialCreation },
    status: 201,
    leavesTokens: true,
    async handler(request: IdentityRequest<{ credential: CredentialBody }>, deps) {
      noDelegates(request)
      const body = request.body.credential
      const row: CredentialRow = {
        id: idFor(body),
        user_id: body.user_id,
        project_id: body.project_id ?? null,
        type: body.type,
        blob: deps.cipher.encrypt(body.blob),
        extra: extraOf(body, credentialAttributes),
      }
      await insertCredential(deps.db, row)
      return { credential: credentialView(request.origin, row, deps) }
    },
  },
  {
    patch: path,
    rule: 'identity:update_credential',
    target: credentialTarget,
    body: { key: 'credential', schema: credentialUpdate },
    leavesTokens: true,
    async handler(
      request: IdentityRequest<{ credential: { blob: string; project_id?: string; type?: string } }>,
      deps,
    ) {
      const row = await getCredential(deps.db, request.params['credential_id']!)
      noDelegates(request)
      const { blob, ...scope } = request.body.credential
      assertMayMove(request, scope)
      if (row.type === 'ec2') assertScopeStays(deps.cipher.decrypt(row.blob), blob)
      await updateCredential(deps.db, row.id, { blob: deps.cipher.encrypt(blob), ...scope })
      return { credential: credentialView(request.origin, await getCredential(deps.db, row.id), deps) }
    },
  },
  {
    delete: path,
    rule: 'identity:delete_credential',
    target: credentialTarget,
    leavesTokens: true,
    async handler(request, deps) {
      const row = await getCredential(deps.db, request.params['credential_id']!)
      noDelegates(request)
      await removeCredential(deps.db, row.id)
    },
  },
]

// Owners change the secret; what it is good for is the administrator's to say.
function assertMayMove(request: IdentityRequest, scope: Record<string, unknown>): void {
  const [key] = Object.keys(scope)
  if (key === undefined || request.can('admin_required')) return
  throw new Fault('invalid', `Additional properties are not allowed ('${key}' was unexpected)`)
}

function idFor(body: CredentialBody): string {
  if (body.type !== 'ec2') return newHexId()
  if (body.project_id === undefined) throw new Fault('invalid', "'project_id' is a required property")
  return ec2CredentialId(parseEc2Blob(body.blob).access)
}

// Else a credential that was made within limits could be freed of them.
function assertScopeStays(before: string, after: string): void {
  const old = parseEc2Blob(before) as unknown as Record<string, unknown>
  const next = parseEc2Blob(after) as unknown as Record<string, unknown>
  for (const key of ['trust_id', 'app_cred_id', 'access_token_id', 'access_id']) {
    if (old[key] === next[key]) continue
    throw new Fault('invalid', `${key} can not be updated for credential`)
  }
}
