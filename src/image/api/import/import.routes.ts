import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { newUuid } from '../../../base/ids.ts'
import { moveImage } from '../../store/images.ts'
import { insertTask } from '../../store/tasks.ts'
import type { ImageDeps } from '../deps.ts'
import { authorizeImage, requestedImage } from '../images/lookup.ts'
import { importStaged } from './import-staged.ts'

export const importRoutes: readonly Route<ImageDeps>[] = [
  { post: '/v2/images/:id/import', policy: 'default', status: 202, handler: importImage },
]

const bad = (message: string): Fault => new Fault('invalid', message)

async function importImage(request: ApiRequest<unknown>, deps: ImageDeps): Promise<undefined> {
  const { db, settings } = deps
  assertImport(request.body, settings)
  const image = await requestedImage(request, db)
  if (image.status === 'active')
    throw new Fault('conflict', 'Image with status active cannot be target for import')
  if (image.status !== 'uploading' || image.size === null)
    throw new Fault('conflict', "Image needs to be staged before 'glance-direct' method can be used")
  for (const name of ['container_format', 'disk_format'] as const) {
    if (!image[name]) throw new Fault('conflict', `'${name}' needs to be set before import`)
  }
  authorizeImage(request, image, 'modify_image')
  const task = {
    id: newUuid(),
    type: 'api_image_import',
    owner: image.owner ?? '',
    imageId: image.id,
    requestId: request.requestId,
    userId: request.context.userId,
    input: { image_id: image.id, import_req: request.body, backend: [settings.storeId] },
  }
  await inTransaction(db, async (transaction) => {
    // The move is the lock: a second import of the same image finds it no longer `uploading`.
    if (!(await moveImage(transaction, image.id, 'uploading', 'importing')))
      throw new Fault(
        'conflict',
        `New operation on image '${image.id}' is not permitted as prior operation is still in progress`,
      )
    await insertTask(transaction, task)
  })
  deps.inBackground(() => importStaged(deps, image, task.id))
  return undefined
}

function assertImport(body: unknown, settings: ImageDeps['settings']): void {
  if (body === null || typeof body !== 'object') throw bad('Body expected in request.')
  const { method, stores, ...flags } = body as Record<string, unknown>
  if (method === null || typeof method !== 'object') throw bad("Import request requires a 'method' field.")
  const { name } = method as Record<string, unknown>
  if (name === undefined) throw bad("Import request requires a 'name' field.")
  if (typeof name !== 'string' || !settings.enabledImportMethods.includes(name))
    throw bad(`Unknown import method name '${String(name)}'.`)
  for (const flag of ['all_stores', 'all_stores_must_succeed']) {
    if (flags[flag] !== undefined && typeof flags[flag] !== 'boolean')
      throw bad(`'${flag}' must be boolean value only`)
  }
  if (stores !== undefined && flags['all_stores'] === true)
    throw bad("All_stores parameter can't be used with x-image-meta-store header or stores parameter")
  for (const store of stores === undefined ? [] : [stores].flat()) {
    if (store !== settings.storeId)
      throw new Fault('conflict', `Unknown store '${String(store)}'; there is '${settings.storeId}'.`)
  }
}
