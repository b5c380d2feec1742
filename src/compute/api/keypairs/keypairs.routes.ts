import { Type } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { takeTurn } from '../../../base/db/turns.ts'
import { Fault } from '../../../base/errors.ts'
import { type Fields, schemaAt, viewAt } from '../../../base/http/fields.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import {
  countKeypairs,
  deleteKeypair,
  getKeypair,
  insertKeypair,
  type Keypair,
  listKeypairs,
} from '../../store/keypairs.ts'
import type { ApiDbDeps } from '../deps.ts'
import { nextLink } from '../links.ts'
import { type Page, pageOf, queryValue } from '../paging.ts'
import { limitsOf } from '../quotas/limits.ts'
import { AnyText, byVersion, paging, queryOf, wrapped } from '../schema-types.ts'
import { generateSshKey, sshFingerprint, x509Fingerprint } from './ssh-key.ts'
import { generateX509Key } from './x509-key.ts'

const name = (pattern: string) => Type.String({ minLength: 1, maxLength: 255, pattern })

export const keypairFields = {
  name: {
    schema: (version) =>
      name(version < 2092 ? '^(?! )[a-zA-Z0-9_\\- ]+(?<! )$' : '^(?! )[a-zA-Z0-9_\\-@. ]+(?<! )$'),
    in: ['view', 'create'],
    required: true,
  },
  type: { schema: Type.Enum(['ssh', 'x509']), since: '2.2', in: ['view', 'create'] },
  public_key: { schema: Type.String(), in: ['view', 'create'], required: '2.92' },
  user_id: { schema: Type.String(), since: '2.10', in: ['create'] },
} satisfies Fields

// Views of all versions show whose it is; only `type` came later.
const viewFields = { type: keypairFields.type } satisfies Fields

const createBody = byVersion((version) => wrapped('keypair', schemaAt(keypairFields, 'create', version)))

const query = byVersion((version) =>
  queryOf(version < 2010 ? {} : { user_id: AnyText }, { strict: version >= 2075 }),
)
const listQuery = byVersion((version) =>
  queryOf(version < 2010 ? {} : version < 2035 ? { user_id: AnyText } : { user_id: AnyText, ...paging }, {
    strict: version >= 2075,
  }),
)

interface CreateBody {
  keypair: { name: string; type?: 'ssh' | 'x509'; public_key?: string; user_id?: string }
}

// Whose keypair it is comes with the request, so the rule is checked in the handlers.
const policy = 'authenticated'

export const keypairRoutes: readonly Route<ApiDbDeps>[] = [
  { get: '/os-keypairs', policy, query: listQuery, handler: list },
  { get: '/os-keypairs/:name', policy, query, handler: show },
  { post: '/os-keypairs', policy, body: createBody, until: '2.1', status: 200, handler: create },
  { post: '/os-keypairs', policy, body: createBody, since: '2.2', status: 201, handler: create },
  { delete: '/os-keypairs/:name', policy, query, until: '2.1', status: 202, handler: remove },
  { delete: '/os-keypairs/:name', policy, query, since: '2.2', status: 204, handler: remove },
]

function ownerOf(request: ApiRequest<never>, rule: string, asked = queryValue(request, 'user_id')): string {
  const userId = (request.atLeast('2.10') ? asked : undefined) ?? request.context.userId
  request.authorize(`os_compute_api:os-keypairs:${rule}`, { user_id: userId })
  return userId
}

const lower = (request: ApiRequest<never>, view: Record<string, unknown>) =>
  viewAt(viewFields, [], request.microversion, view)

async function list(request: ApiRequest<never>, deps: ApiDbDeps) {
  const userId = ownerOf(request, 'index')
  const page: Partial<Page> = request.atLeast('2.35') ? pageOf(request, deps.config.maxLimit) : {}
  const found = await listKeypairs(deps.apiDb, userId, page)
  const keypairs = found.map(({ name, public_key, fingerprint, type }) => ({
    keypair: lower(request, { name, public_key, fingerprint, type }),
  }))
  const last = found.at(-1)
  if (page.limit === undefined || last === undefined || found.length < page.limit) return { keypairs }
  return { keypairs, keypairs_links: [nextLink(request as ApiRequest, last.name)] }
}

async function show(request: ApiRequest<never>, deps: ApiDbDeps) {
  const userId = ownerOf(request, 'show')
  const found = await getKeypair(deps.apiDb, userId, request.params['name']!)
  const view = {
    ...brief(found),
    id: found.id,
    created_at: found.created_at.replace(/\.\d+Z$/, '.000000'),
    updated_at: null,
    deleted: false,
    deleted_at: null,
  }
  return { keypair: lower(request, view) }
}

const brief = ({ name, public_key, fingerprint, user_id, type }: Keypair) => ({
  name,
  public_key,
  fingerprint,
  user_id,
  type,
})

async function create(request: ApiRequest<CreateBody>, deps: ApiDbDeps) {
  const asked = request.body.keypair
  const userId = ownerOf(request as ApiRequest<never>, 'create', asked.user_id)
  const type = asked.type ?? 'ssh'
  const made =
    asked.public_key === undefined
      ? await (type === 'ssh' ? generateSshKey() : generateX509Key(userId))
      : undefined
  const public_key = asked.public_key ?? made!.publicKey
  const fingerprint = type === 'ssh' ? sshFingerprint(public_key) : x509Fingerprint(public_key)
  const keypair = await inTransaction(deps.apiDb, async (transaction) => {
    const limits = await limitsOf(transaction, deps.config, request.context.projectId ?? '')
    const saved = await insertKeypair(transaction, {
      user_id: userId,
      name: asked.name,
      type,
      public_key,
      fingerprint,
    })
    await takeTurn(transaction, `key_pairs:${userId}`)
    if (limits.key_pairs >= 0 && (await countKeypairs(transaction, userId)) > limits.key_pairs)
      throw new Fault('over-quota', 'Quota exceeded, too many key pairs.')
    return saved
  })
  const secret = made === undefined ? {} : { private_key: made.privateKey }
  return { keypair: lower(request as ApiRequest<never>, { ...secret, ...brief(keypair) }) }
}

async function remove(request: ApiRequest<never>, deps: ApiDbDeps) {
  const userId = ownerOf(request, 'delete')
  await deleteKeypair(deps.apiDb, userId, request.params['name']!)
}
