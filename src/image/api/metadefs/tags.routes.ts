import { inTransaction } from '../../../base/db/transaction.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { deleteItems, type Item, insertItem, listItems, updateItem } from '../../store/metadef-items.ts'
import type { ImageDeps } from '../deps.ts'
import { getItem } from './items.routes.ts'
import { namespacePath, tagView } from './metadef.views.ts'
import { readBody } from './metadef-schemas.ts'
import { requestedNamespace } from './requested-namespace.ts'

const all = '/v2/metadefs/namespaces/:namespace/tags'
const one = `${all}/:name`

export const metadefTagRoutes: readonly Route<ImageDeps>[] = [
  { get: all, policy: 'default', handler: listTags },
  { post: all, policy: 'default', status: 201, handler: createTags },
  { delete: all, policy: 'default', handler: deleteTags },
  { get: one, policy: 'default', handler: showTag },
  { post: one, policy: 'default', status: 201, handler: createTag },
  { put: one, policy: 'default', handler: updateTag },
  { delete: one, policy: 'default', handler: deleteTag },
]

async function listTags(request: ApiRequest, { db }: ImageDeps) {
  const { id } = await requestedNamespace(request, db, 'get_metadef_tags')
  return { tags: (await listItems(db, 'tags', id)).map(({ name }) => ({ name })) }
}

/** Sets all tags of the namespace at once, or adds to them where the header says so. */
async function createTags(request: ApiRequest<unknown>, { db }: ImageDeps) {
  const { tags } = readBody<{ tags: Item[] }>('tags', request.body)
  const { id, namespace } = await requestedNamespace(request, db, 'add_metadef_tags')
  const appends = String(request.headers['x-openstack-append'] ?? '').toLowerCase() === 'true'
  await inTransaction(db, async (transaction) => {
    if (!appends) await deleteItems(transaction, 'tags', id)
    for (const { name } of tags) await insertItem(transaction, 'tags', id, { name })
  })
  request.setHeader('location', `${request.origin}${namespacePath(namespace)}/tags`)
  return { tags: (await listItems(db, 'tags', id)).map(({ name }) => ({ name })) }
}

async function deleteTags(request: ApiRequest, { db }: ImageDeps): Promise<void> {
  await deleteItems(db, 'tags', (await requestedNamespace(request, db, 'delete_metadef_tags')).id)
}

async function showTag(request: ApiRequest, { db }: ImageDeps) {
  const { id } = await requestedNamespace(request, db, 'get_metadef_tag')
  return tagView(await getItem(request, db, 'tags', id))
}

async function createTag(request: ApiRequest, { db }: ImageDeps) {
  const { name } = readBody<Item>('tag', { name: request.params['name'] })
  const { id } = await requestedNamespace(request, db, 'add_metadef_tag')
  return tagView(await insertItem(db, 'tags', id, { name }))
}

async function updateTag(request: ApiRequest<unknown>, { db }: ImageDeps) {
  const { name } = readBody<Item>('tag', request.body)
  const { id } = await requestedNamespace(request, db, 'modify_metadef_tag')
  return tagView(await updateItem(db, 'tags', await getItem(request, db, 'tags', id), { name }))
}

async function deleteTag(request: ApiRequest, { db }: ImageDeps): Promise<void> {
  const { id } = await requestedNamespace(request, db, 'delete_metadef_tag')
  await deleteItems(db, 'tags', id, (await getItem(request, db, 'tags', id)).name)
}
