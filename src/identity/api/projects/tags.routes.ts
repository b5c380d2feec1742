import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { getProject, projectToChange, replaceTags, tagsOf } from '../../store/projects.ts'
import { assertBody, type IdentityDeps, type IdentityRequest, type IdentityRoute } from '../identity-route.ts'
import { assertMutable } from '../immutable.ts'
import { Tag, Tags } from './project.ts'
import { projectTarget } from './projects.routes.ts'

async function tagsOfPath(request: IdentityRequest, deps: IdentityDeps) {
  const row = await getProject(deps.db, request.params['project_id']!)
  return { row, tags: (await tagsOf(deps.db, [row.id])).get(row.id) ?? [] }
}

/** Changes what the project has when it is its turn, so that of two who change it at once neither is lost. */
async function change(
  deps: IdentityDeps,
  projectId: string,
  alter: (held: readonly string[]) => readonly string[],
): Promise<void> {
  await inTransaction(deps.db, async (transaction) => {
    await projectToChange(transaction, projectId)
    const held = (await tagsOf(transaction, [projectId])).get(projectId) ?? []
    await replaceTags(transaction, projectId, alter(held))
  })
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
      await change(deps, row.id, () => wanted as string[])
      return { tags: wanted, links: { self: request.origin + request.url, next: null, previous: null } }
    },
  },
  {
    delete: '/v3/projects/:project_id/tags',
    rule: 'identity:delete_project_tags',
    target: projectTarget,
    async handler(request, deps) {
      const { row } = await tagsOfPath(request, deps)
      await change(deps, row.id, () => [])
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
      const { row } = await tagsOfPath(request, deps)
      assertMutable('project', row, {})
      await change(deps, row.id, (held) => {
        const all = [...new Set([...held, tag])]
        assertBody(Tags, all)
        return all
      })
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
      await change(deps, row.id, (held) => held.filter((other) => other !== tag))
    },
  },
]
