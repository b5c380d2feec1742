/** Tags of every resource that has them: `/v2.0/networks/{id}/tags`. */
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { badRequest, invalidInput, unknown } from '../../errors.ts'
import { touch } from '../../store/standard.ts'
import { deleteTagsOf, replaceTags, tagsOf } from '../../store/tags.ts'
import { inWork, type Work } from '../../work.ts'
import { authorizeChange } from '../access.ts'
import { callerOf } from '../caller.ts'
import * as check from '../checks.ts'
import type { AnyResource, ApiDeps } from '../resource.ts'
import { targets } from '../resource-routes.ts'
import { getVisible } from '../rows.ts'

const policy = 'network_api'
const tagCheck = check.text(255)

export function tagRoutes(resource: AnyResource): Route<ApiDeps>[] {
  const all = `/v2.0/${resource.path}/:id/tags`
  const one = `${all}/:tag`
  return [
    {
      get: all,
      policy,
      handler: async (request, deps) => ({ tags: await readTags(resource, request, deps) }),
    },
    {
      put: all,
      policy,
      handler: async (request, deps) => {
        const tags = readBody(request.body)
        await change(resource, request, deps, (work, id) => replaceTags(work.db, id, tags))
        return { tags }
      },
    },
    {
      delete: all,
      policy,
      handler: (request, deps) => change(resource, request, deps, (work, id) => deleteTagsOf(work.db, [id])),
    },
    {
      get: one,
      policy,
      status: 204,
      handler: async (request, deps) => {
        const tag = request.params['tag']!
        if (!(await readTags(resource, request, deps)).includes(tag)) throw unknown.tag(tag)
      },
    },
    { put: one, policy, status: 201, handler: (request, deps) => addTag(resource, request, deps) },
    { delete: one, policy, handler: (request, deps) => removeTag(resource, request, deps) },
  ]
}

async function readTags(resource: AnyResource, request: ApiRequest, deps: ApiDeps): Promise<string[]> {
  const row = await getVisible(deps.db, resource, request.params['id']!, callerOf(request))
  return (await tagsOf(deps.db, [row.id])).get(row.id) ?? []
}

function readBody(body: unknown): string[] {
  const object = body as { tags?: unknown } | undefined
  if (object === undefined || object === null || typeof object !== 'object' || !('tags' in object))
    throw invalidInput('Invalid tags body')
  const extra = Object.keys(object).filter((key) => key !== 'tags')
  if (extra.length > 0) throw badRequest(`Unrecognized attribute(s) '${extra.join(', ')}'`)
  const reason = check.listOf(tagCheck)(object.tags)
  if (reason !== undefined) throw invalidInput(reason)
  return object.tags as string[]
}

async function change(
  resource: AnyResource,
  request: ApiRequest,
  deps: ApiDeps,
  write: (work: Work, id: string) => Promise<void>,
): Promise<undefined> {
  const caller = callerOf(request)
  await inWork(deps, async (work) => {
    const row = await getVisible(work.db, resource, request.params['id']!, caller)
    const [target] = await targets(resource, work, [row], caller)
    authorizeChange(request, resource, 'update', target!)
    await write(work, row.id)
    await touch(work, resource.table, row.id)
  })
}

async function addTag(resource: AnyResource, request: ApiRequest, deps: ApiDeps): Promise<undefined> {
  const tag = request.params['tag']!
  const reason = tagCheck(tag)
  if (reason !== undefined) throw invalidInput(reason)
  return change(resource, request, deps, async (work, id) => {
    const tags = (await tagsOf(work.db, [id])).get(id) ?? []
    if (!tags.includes(tag)) await work.db.insertInto('tags').values({ resource_id: id, tag }).execute()
  })
}

async function removeTag(resource: AnyResource, request: ApiRequest, deps: ApiDeps): Promise<undefined> {
  const tag = request.params['tag']!
  return change(resource, request, deps, async (work, id) => {
    const gone = await work.db
      .deleteFrom('tags')
      .where('resource_id', '=', id)
      .where('tag', '=', tag)
      .executeTakeFirst()
    if (gone.numDeletedRows === 0n) throw unknown.tag(tag)
  })
}
