/** A user's own access keys for the EC2 API. */
import { newHexId } from '#base/ids.ts'
import {
  type CredentialRow,
  findCredential,
  getCredential,
  insertCredential,
  listCredentials,
  removeCredential,
} from '../../store/credentials.ts'
import { getProject } from '../../store/projects.ts'
import { getUser } from '../../store/users.ts'
import { expecting } from '../../tokens/authenticate.ts'
import { refused } from '../../tokens/standing.ts'
import { collection } from '../collection.ts'
import { forbidDelegated } from '../delegation.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { ec2CredentialId, parseEc2Blob } from './credential.ts'

const all = '/v3/users/:user_id/credentials/OS-EC2'

const noDelegates = (request: IdentityRequest): void =>
  forbidDelegated(request, 'Delegated tokens cannot manage EC2 credentials')

function ec2View(origin: string, row: CredentialRow, deps: IdentityDeps): Record<string, unknown> {
  const blob = parseEc2Blob(deps.cipher.decrypt(row.blob))
  return {
    access: blob.access,
    secret: blob.secret,
    user_id: row.user_id,
    tenant_id: row.project_id,
    trust_id: blob.trust_id ?? null,
    links: { self: `${origin}/v3/users/${row.user_id}/credentials/OS-EC2/${blob.access}` },
  }
}

// A key that is not there is a 404 for everybody.
async function owner(request: IdentityRequest, deps: IdentityDeps) {
  const row = await getCredential(deps.db, ec2CredentialId(request.params['credential_id']!))
  // Somebody else's key under one's own path is not one's own.
  return row.user_id === request.params['user_id'] ? { target: { credential: { user_id: row.user_id } } } : {}
}

async function ofPath(request: IdentityRequest, deps: IdentityDeps): Promise<CredentialRow> {
  const user = await getUser(deps.db, request.params['user_id']!)
  const row = await findCredential(deps.db, ec2CredentialId(request.params['credential_id']!))
  if (row === undefined || row.type !== 'ec2' || row.user_id !== user.id) {
    throw refused('EC2 access key not found.')
  }
  return row
}

export const ec2CredentialRoutes: readonly IdentityRoute[] = [
  {
    get: all,
    rule: 'identity:ec2_list_credentials',
    async handler(request, deps) {
      noDelegates(request)
      const user = await getUser(deps.db, request.params['user_id']!)
      const rows = await listCredentials(deps.db, { userId: user.id, type: 'ec2' })
      return collection(
        request,
        'credentials',
        rows.map((row) => ec2View(request.origin, row, deps)),
      )
    },
  },
  {
    post: all,
    rule: 'identity:ec2_create_credential',
    status: 201,
    leavesTokens: true,
    async handler(request: IdentityRequest<{ tenant_id?: unknown } | undefined>, deps) {
      const user = await getUser(deps.db, request.params['user_id']!)
      const projectId = request.body?.tenant_id
      if (typeof projectId !== 'string') throw expecting('tenant_id', 'request body')
      await getProject(deps.db, projectId)
      noDelegates(request)
      const blob = { access: newHexId(), secret: newHexId(), trust_id: null }
      const row: CredentialRow = {
        id: ec2CredentialId(blob.access),
        user_id: user.id,
        project_id: projectId,
        type: 'ec2',
        blob: deps.cipher.encrypt(JSON.stringify(blob)),
        extra: '{}',
      }
      await insertCredential(deps.db, row)
      return { credential: ec2View(request.origin, row, deps) }
    },
  },
  {
    get: `${all}/:credential_id`,
    rule: 'identity:ec2_get_credential',
    target: owner,
    async handler(request, deps) {
      const row = await ofPath(request, deps)
      noDelegates(request)
      return { credential: ec2View(request.origin, row, deps) }
    },
  },
  {
    delete: `${all}/:credential_id`,
    rule: 'identity:ec2_delete_credential',
    target: owner,
    leavesTokens: true,
    async handler(request, deps) {
      const row = await ofPath(request, deps)
      noDelegates(request)
      await removeCredential(deps.db, row.id)
    },
  },
]
