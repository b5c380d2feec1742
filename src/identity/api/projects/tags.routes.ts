import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { getProject, replaceTags, tagsOf } from '../../store/projects.ts'
import { assertBody, type IdentityDeps, type IdentityRequest, type IdentityRoute } from '../identity-route.ts'
import { assertMutable } from '../immutable.ts'
import { Tag, Tags } from './project.ts'
import { projectTarget } from './projects.routes.ts'

async function tagsOfPath(request: IdentityRequest, deps: IdentityDeps) {
  const row = await getProject(deps.db, request.params['project_id']!)
  return { row, tags: (await tagsOf(deps.db, [row.id])).get(row.id) ?? [] }
}

async function write(deps: IdentityDeps, projectId: string, tags: readonly string[]): Promise<void> {
  await inTransaction(deps.db, (transaction) => replaceTags(transaction, projectId, tags))
}

const noSuchTag = (tag: string): Fault => new Fault('not-found', `Could not find project tag: ${tag}.`)

export const projectTagRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/projects/:project_id/tags',
    rule: 'identity:list_project_tags',
    target: projectTarget,
    async handler(request, deps) {
      const { tags } = await tagsOfPath(request, deps)
      return { tags, links: { self: request.origin + request.url, next: null, previous: null } }
    },
  },
  {
    put: '/v3/projects/:project_id/tags',
    rule: 'identity:update_project_tags',
    target: projectTarget,
    async handler(request: IdentityRequest<{ tags?: unknown }>, deps) {
      const wanted = request.body?.tags ?? []
      assertBody(Tags, wanted)
      const { row } = await tagsOfPath(request, deps)
      assertMutable('project', row, {})
      await write(deps, row.id, wanted as string[])
      return { tags: wanted, links: { self: request.origin + request.url, next: null, previous: null } }
    },
  },
  {
    delete: '/v3/projects/:project_id/tags',
    rule: 'identity:delete_project_tags',
    target: projectTarget,
    async handler(request, deps) {
      const { row } = await tagsOfPath(request, deps)
      await write(deps, row.id, [])
    },
  },
  {
    get: '/v3/projects/:project_id/tags/:tag',
    rule: 'identity:get_project_tag',
    target: projectTarget,
    async handler(request, deps) {
      const { tags } = await tagsOfPath(request, deps)
      const tag = request.params['tag']!
      if (!tags.includes(tag)) throw noSuchTag(tag)
    },
  },
  {
    put: '/v3/projects/:project_id/tags/:tag',
    rule: 'identity:create_project_tag',
    target: projectTarget,
    async handler(request, deps) {
      const tag = request.params['tag']!
      assertBody(Tag, tag)
      const { row, tags } = await tagsOfPath(request, deps)
      assertMutable('project', row, {})
      const all = [...new Set([...tags, tag])]
      assertBody(Tags, all)
      await write(deps, row.id, all)
      request.setStatus(201)
      request.setHeader('location', request.origin + request.url)
      return undefined
    },
  },
  {
    delete: '/v3/projects/:project_id/tags/:tag',
    rule: 'identity:delete_project_tag',
    target: projectTarget,
    async handler(request, deps) {
      const { row, tags } = await tagsOfPath(request, deps)
      const tag = request.params['tag']!
      if (!tags.includes(tag)) throw noSuchTag(tag)
      await write(
        deps,
        row.id,
        tags.filter((other) => other !== tag),
      )
    },
  },
]
