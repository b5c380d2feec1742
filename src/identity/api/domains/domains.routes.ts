import { Type } from 'typebox'
import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { isUuid, newHexId } from '#base/ids.ts'
import { removeDomain } from '../../store/domains.ts'
import { extraOf, mergedOptions, parseObject } from '../../store/extra.ts'
import {
  findDomain,
  getDomain,
  insertProject,
  listProjects,
  type ProjectRow,
  replaceTags,
  tagsOf,
} from '../../store/projects.ts'
import { rootDomain } from '../../store/tables.ts'
import { collection, filtered } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { assertMutable, resourceOptionsSchema } from '../immutable.ts'
import { type ProjectBody, projectAttributes, Tags } from '../projects/project.ts'
import { changeProject } from '../projects/projects.routes.ts'
import { fitsTags } from '../projects/tag-filters.ts'
import { creation, Flag, Nullable, ShortName, Text, update } from '../schemas.ts'

const properties = {
  name: ShortName,
  description: Nullable(Text),
  enabled: Flag,
  tags: Tags,
  options: Type.Unsafe(resourceOptionsSchema),
}

/** Domains as lists and answers show them. */
export async function domainViews(
  request: IdentityRequest,
  deps: IdentityDeps,
  rows: readonly ProjectRow[],
): Promise<Record<string, unknown>[]> {
  const tags = await tagsOf(
    deps.db,
    rows.map((row) => row.id),
  )
  return rows.map((row) => ({
    ...parseObject(row.extra),
    id: row.id,
    name: row.name,
    description: row.description ?? '',
    enabled: row.enabled === 1,
    tags: tags.get(row.id) ?? [],
    options: parseObject(row.options),
    links: { self: `${request.origin}/v3/domains/${row.id}` },
  }))
}

async function domainTarget(request: IdentityRequest, deps: IdentityDeps) {
  const row = await findDomain(deps.db, request.params['domain_id']!)
  return row === undefined ? {} : { target: { domain: { id: row.id } } }
}

export const domainRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/domains',
    rule: 'identity:list_domains',
    async handler(request, deps) {
      const views = await domainViews(request, deps, await listProjects(deps.db, { isDomain: true }))
      const fitting = filtered(request, views, ['name', 'enabled'])
      return collection(
        request,
        'domains',
        fitting.filter((view) => fitsTags(request, view['tags'] as string[])),
      )
    },
  },
  {
    get: '/v3/domains/:domain_id',
    rule: 'identity:get_domain',
    target: domainTarget,
    async handler(request, deps) {
      return show(request, deps, await getDomain(deps.db, request.params['domain_id']!))
    },
  },
  {
    post: '/v3/domains',
    rule: 'identity:create_domain',
    body: { key: 'domain', schema: creation(properties, ['name']) },
    status: 201,
    handler: create,
  },
  {
    patch: '/v3/domains/:domain_id',
    rule: 'identity:update_domain',
    target: domainTarget,
    body: { key: 'domain', schema: update(properties) },
    async handler(request: IdentityRequest<{ domain: ProjectBody }>, deps) {
      const row = await getDomain(deps.db, request.params['domain_id']!)
      const body = request.body.domain
      if (body.id !== undefined && body.id !== row.id) throw new Fault('invalid', 'Cannot change domain ID')
      assertMutable('domain', row, body)
      await changeProject(deps, row, body)
      return show(request, deps, await getDomain(deps.db, row.id))
    },
  },
  {
    delete: '/v3/domains/:domain_id',
    rule: 'identity:delete_domain',
    target: domainTarget,
    async handler(request, deps) {
      const row = await getDomain(deps.db, request.params['domain_id']!)
      assertMutable('domain', row)
      if (row.enabled === 1) {
        throw new Fault('forbidden', 'Cannot delete a domain that is enabled, please disable it first.')
      }
      await inTransaction(deps.db, (transaction) => removeDomain(transaction, row.id))
    },
  },
]

async function show(request: IdentityRequest, deps: IdentityDeps, row: ProjectRow) {
  const [view] = await domainViews(request, deps, [row])
  return { domain: view }
}

async function create(
  request: IdentityRequest<{ domain: ProjectBody & { explicit_domain_id?: string } }>,
  deps: IdentityDeps,
) {
  const body = request.body.domain
  const explicit = body.explicit_domain_id
  if (explicit !== undefined && !isUuid(explicit)) {
    throw new Fault('invalid', 'Domain ID does not conform to required UUID format.')
  }
  const row: ProjectRow = {
    id: explicit?.replaceAll('-', '') ?? newHexId(),
    name: body.name!.trim(),
    domain_id: rootDomain,
    parent_id: null,
    is_domain: 1,
    description: body.description ?? '',
    enabled: body.enabled === false ? 0 : 1,
    extra: extraOf(body, [...projectAttributes, 'explicit_domain_id']),
    options: mergedOptions('{}', body.options),
  }
  await inTransaction(deps.db, async (transaction) => {
    await insertProject(transaction, row)
    await replaceTags(transaction, row.id, body.tags ?? [])
  })
  return show(request, deps, row)
}
