import { Type } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { takeTurn } from '../../../base/db/turns.ts'
import { Fault } from '../../../base/errors.ts'
import { type Fields, type History, schemaAt, viewAt } from '../../../base/http/fields.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { newUuid } from '../../../base/ids.ts'
import { listInstanceMappings } from '../../store/instance-mappings.ts'
import { listReachableInstances } from '../../store/list-instances.ts'
import {
  countServerGroups,
  deleteServerGroup,
  findServerGroup,
  insertServerGroup,
  listServerGroups,
  type ServerGroup,
  type ServerGroupPolicy,
  serverGroupNotFound,
} from '../../store/server-groups.ts'
import type { CellDeps } from '../deps.ts'
import { queryValue } from '../paging.ts'
import { limitsOf } from '../quotas/limits.ts'
import { AnyText, byVersion, Digits, Name, queryOf, wholeNumber, wrapped } from '../schema-types.ts'

const hard = ['anti-affinity', 'affinity'] as const
const all = [...hard, 'soft-anti-affinity', 'soft-affinity'] as const

export const serverGroupFields = {
  id: { schema: Type.String() },
  name: { schema: Name, in: ['view', 'create'], required: true },
  policies: {
    schema: (version) =>
      Type.Array(version < 2015 ? Type.Enum([...hard]) : Type.Enum([...all]), { minItems: 1, maxItems: 1 }),
    until: '2.63',
    in: ['view', 'create'],
    required: true,
  },
  metadata: { schema: Type.Object({}), until: '2.63' },
  policy: { schema: Type.Enum([...all]), since: '2.64', in: ['view', 'create'], required: true },
  rules: {
    schema: Type.Object(
      { max_server_per_host: Type.Optional(wholeNumber(1)) },
      { additionalProperties: false },
    ),
    since: '2.64',
    in: ['view', 'create'],
  },
  members: { schema: Type.Array(Type.String()) },
  project_id: { schema: Type.String(), since: '2.13' },
  user_id: { schema: Type.String(), since: '2.13' },
} satisfies Fields

interface ServerGroupView extends Record<string, unknown> {
  policy: ServerGroupPolicy
}

const history: History<ServerGroupView> = [
  {
    at: '2.64',
    note: 'one policy with rules; before, a list of policies and metadata that was always empty',
    down: (view) => ({ ...view, policies: [view.policy], metadata: {} }),
  },
]

const createBody = byVersion((version) =>
  wrapped('server_group', schemaAt(serverGroupFields, 'create', version)),
)
const listQuery = byVersion((version) =>
  queryOf({ all_projects: AnyText, limit: Digits, offset: Digits }, { strict: version >= 2075 }),
)

interface CreateBody {
  server_group: {
    name: string
    policies?: ServerGroupPolicy[]
    policy?: ServerGroupPolicy
    rules?: { max_server_per_host?: number | string }
  }
}

const rule = (name: string) => `os_compute_api:os-server-groups:${name}`

export const serverGroupRoutes: readonly Route<CellDeps>[] = [
  { get: '/os-server-groups', policy: rule('index'), query: listQuery, handler: list },
  { post: '/os-server-groups', policy: rule('create'), body: createBody, handler: create },
  { get: '/os-server-groups/:id', policy: 'authenticated', handler: show },
  { delete: '/os-server-groups/:id', policy: 'authenticated', handler: remove },
]

async function views(request: ApiRequest<never>, deps: CellDeps, groups: readonly ServerGroup[]) {
  const alive = await aliveMembers(
    deps,
    groups.flatMap((group) => group.members),
  )
  return groups.map((group) =>
    viewAt<ServerGroupView>(serverGroupFields, history, request.microversion, {
      id: group.uuid,
      name: group.name,
      policy: group.policy,
      rules: group.rules,
      members: group.members.filter((uuid) => alive.has(uuid)),
      project_id: group.project_id,
      user_id: group.user_id,
    }),
  )
}

// A deleted server stays a member until its row goes; it is not shown. One whose cell is away is thought to live.
async function aliveMembers(deps: CellDeps, uuids: readonly string[]): Promise<Set<string>> {
  if (uuids.length === 0) return new Set()
  const mappings = await listInstanceMappings(deps.apiDb, uuids)
  const { instances, away } = await listReachableInstances(deps, { equals: { uuid: uuids } })
  const awayIds = new Set(away.map((cell) => cell.id))
  const believed = mappings.filter(
    ({ cell_id: cell, queued_for_delete: queued }) => cell === null || (awayIds.has(cell) && queued === 0),
  )
  return new Set([...believed.map((mapping) => mapping.instance_uuid), ...instances.map(({ uuid }) => uuid)])
}

async function list(request: ApiRequest<never>, deps: CellDeps) {
  const everywhere = request.query['all_projects'] !== undefined && request.can('context_is_admin')
  if (everywhere) request.authorize(rule('index:all_projects'))
  const offset = Number(queryValue(request, 'offset') ?? 0)
  const limit = Number(queryValue(request, 'limit') ?? 0) || deps.config.maxLimit
  const groups = await listServerGroups(deps.apiDb, {
    limit: Math.min(limit, deps.config.maxLimit),
    offset,
    ...(everywhere ? {} : { projectId: request.context.projectId ?? '' }),
  })
  return { server_groups: await views(request, deps, groups) }
}

async function visible(request: ApiRequest<never>, deps: CellDeps, name: string): Promise<ServerGroup> {
  const uuid = request.params['id']!
  const group = await findServerGroup(deps.apiDb, uuid)
  if (group === undefined) throw serverGroupNotFound(uuid)
  const isOthers = group.project_id !== request.context.projectId
  if (isOthers && !request.can('context_is_admin')) throw serverGroupNotFound(uuid)
  request.authorize(rule(name), { project_id: group.project_id })
  return group
}

async function show(request: ApiRequest<never>, deps: CellDeps) {
  const [server_group] = await views(request, deps, [await visible(request, deps, 'show')])
  return { server_group }
}

async function remove(request: ApiRequest<never>, deps: CellDeps) {
  const group = await visible(request, deps, 'delete')
  await inTransaction(deps.apiDb, (db) => deleteServerGroup(db, group))
}

async function create(request: ApiRequest<CreateBody>, deps: CellDeps) {
  const asked = request.body.server_group
  const policy = asked.policy ?? asked.policies![0]!
  const perHost = asked.rules?.max_server_per_host
  if (perHost !== undefined && policy !== 'anti-affinity') {
    throw new Fault('invalid', 'Only anti-affinity policy supports rules.')
  }
  const { userId } = request.context
  const projectId = request.context.projectId ?? ''
  const group = await inTransaction(deps.apiDb, async (db) => {
    const made = await insertServerGroup(db, {
      uuid: newUuid(),
      name: asked.name,
      projectId,
      userId,
      policy,
      rules: perHost === undefined ? {} : { max_server_per_host: Number(perHost) },
    })
    await assertGroupsFit(db, deps, projectId, userId)
    return made
  })
  const [server_group] = await views(request as ApiRequest<never>, deps, [group])
  return { server_group }
}

async function assertGroupsFit(
  db: CellDeps['apiDb'],
  deps: CellDeps,
  projectId: string,
  userId: string,
): Promise<void> {
  await takeTurn(db, `server_groups:${projectId}`)
  for (const user of [undefined, userId]) {
    const limit = (await limitsOf(db, deps.config, projectId, user)).server_groups
    if (limit >= 0 && (await countServerGroups(db, projectId, user)) > limit) {
      throw new Fault('over-quota', 'Quota exceeded, too many server groups.')
    }
  }
}
