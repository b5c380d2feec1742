import { timestamp } from '#base/clock.ts'
import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { extraOf, mergedExtra, mergedOptions } from '../../store/extra.ts'
import { findProject, getDomain } from '../../store/projects.ts'
import {
  findUser,
  getUser,
  insertUser,
  listUsers,
  removeUsers,
  setPassword,
  type UserRow,
  updateUser,
  userToChange,
} from '../../store/users.ts'
import { collection, filtered, queried } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { ownDomainId } from '../own-domain.ts'
import { type UserBody, userAttributes, userCreation, userUpdate, userView } from './user.ts'

/** The user of the path, as the target of policies. */
export async function userTarget(request: IdentityRequest, deps: IdentityDeps) {
  const row = await findUser(deps.db, request.params['user_id']!)
  return row === undefined ? {} : { target: { user: { id: row.id, domain_id: row.domain_id } } }
}

export const userRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/users',
    rule: 'identity:list_users',
    target: (request) => ({ target: { domain_id: request.context.domainId ?? undefined } }),
    handler: list,
  },
  {
    get: '/v3/users/:user_id',
    rule: 'identity:get_user',
    target: userTarget,
    async handler(request, deps) {
      return { user: userView(request.origin, await getUser(deps.db, request.params['user_id']!)) }
    },
  },
  {
    post: '/v3/users',
    rule: 'identity:create_user',
    body: { key: 'user', schema: userCreation },
    status: 201,
    handler: create,
  },
  {
    patch: '/v3/users/:user_id',
    rule: 'identity:update_user',
    target: userTarget,
    body: { key: 'user', schema: userUpdate },
    handler: change,
  },
  {
    delete: '/v3/users/:user_id',
    rule: 'identity:delete_user',
    target: userTarget,
    async handler(request, deps) {
      const { id } = await getUser(deps.db, request.params['user_id']!)
      await inTransaction(deps.db, (transaction) => removeUsers(transaction, [id]))
    },
  },
]

async function list(request: IdentityRequest, deps: IdentityDeps) {
  const domainId = request.context.domainId ?? queried(request, 'domain_id')
  const name = queried(request, 'name')
  const rows = await listUsers(deps.db, {
    ...(domainId === undefined ? {} : { domainId }),
    ...(name === undefined ? {} : { name }),
  })
  const views = rows.map((row) => userView(request.origin, row))
  return collection(request, 'users', filtered(request, views, ['name', 'enabled', 'domain_id']))
}

async function create(request: IdentityRequest<{ user: UserBody }>, deps: IdentityDeps) {
  const body = request.body.user
  const domainId = body.domain_id ?? ownDomainId(request)
  const domain = await getDomain(deps.db, domainId)
  if (domain.enabled === 0) throw new Fault('forbidden', `Domain is disabled: ${domainId}`)
  await assertDefaultProject(deps, body.default_project_id)
  const id = newHexId()
  const now = timestamp(deps.clock)
  const row = {
    id,
    domain_id: domainId,
    name: body.name!.trim(),
    enabled: body.enabled === false ? 0 : 1,
    default_project_id: body.default_project_id ?? null,
    created_at: now,
    extra: extraOf(body, userAttributes),
    options: mergedOptions('{}', body.options),
  }
  const password = await hashed(deps, body.password, now)
  await inTransaction(deps.db, (transaction) => insertUser(transaction, row, password))
  return { user: userView(request.origin, await getUser(deps.db, id)) }
}

async function change(request: IdentityRequest<{ user: UserBody }>, deps: IdentityDeps) {
  const row = await getUser(deps.db, request.params['user_id']!)
  const body = request.body.user
  const { name, enabled, default_project_id, options } = body
  if (body.id !== undefined && body.id !== row.id) throw new Fault('invalid', 'Cannot change user ID')
  if (body.domain_id !== undefined && body.domain_id !== row.domain_id) {
    throw new Fault('invalid', 'Cannot change Domain ID')
  }
  await assertDefaultProject(deps, default_project_id)
  const password = await hashed(deps, body.password, timestamp(deps.clock))
  await inTransaction(deps.db, async (transaction) => {
    const held = await userToChange(transaction, row.id)
    await updateUser(transaction, held, {
      ...(name === undefined ? {} : { name: name.trim() }),
      ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
      ...(default_project_id === undefined ? {} : { default_project_id }),
      ...(options === undefined ? {} : { options: mergedOptions(held.options, options) }),
      extra: mergedExtra(held.extra, body, userAttributes),
    })
    if (body.password !== undefined) await setPassword(transaction, row.id, password)
  })
  await revokeWhereNeeded(deps, row, body)
  return { user: userView(request.origin, await getUser(deps.db, row.id)) }
}

// Who is disabled or gets a new password starts anew when enabled again.
async function revokeWhereNeeded(deps: IdentityDeps, row: UserRow, body: UserBody): Promise<void> {
  const disabled = body.enabled === false && row.enabled === 1
  if (disabled || body.password !== undefined) await deps.state.revoke({ user_id: row.id })
}

async function hashed(deps: IdentityDeps, password: string | null | undefined, at: string) {
  if (password === undefined || password === null) return undefined
  return { hash: await deps.passwords.hash(password), at }
}

async function assertDefaultProject(deps: IdentityDeps, id: string | null | undefined): Promise<void> {
  if (id === undefined || id === null) return
  if ((await findProject(deps.db, id))?.is_domain !== 1) return
  throw new Fault('invalid', "User's default project ID cannot be a domain ID: " + id)
}
