import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { deleteImage, moveImage } from '../../store/images.ts'
import { listImages as listStoredImages } from '../../store/list-images.ts'
import type { ImageDeps } from '../deps.ts'
import { createImage } from './create-image.ts'
import { imageView } from './image.view.ts'
import { readImageQuery } from './list-filters.ts'
import { authorizeImage, requestedImage, viewerOf } from './lookup.ts'
import { updateImage } from './update-image.ts'

// An image's rules look at its owner, so handlers check them when they have the image.
export const imageRoutes: readonly Route<ImageDeps>[] = [
  { get: '/v2/images', policy: 'get_images', handler: listImages },
  { post: '/v2/images', policy: 'default', status: 201, handler: createImage },
  { delete: '/v2/images', policy: 'default', handler: refuseCollection },
  { get: '/v2/images/:id', policy: 'default', handler: showImage },
  { patch: '/v2/images/:id', policy: 'default', rawBody: true, handler: updateImage },
  { delete: '/v2/images/:id', policy: 'default', handler: removeImage },
  { post: '/v2/images/:id/actions/deactivate', policy: 'default', handler: deactivateImage },
  { post: '/v2/images/:id/actions/reactivate', policy: 'default', handler: reactivateImage },
]

async function listImages(request: ApiRequest, { db, settings }: ImageDeps) {
  // `/v2/images/` is an image without an id, not the list.
  if (request.path.endsWith('/')) throw new Fault('not-found', 'The resource could not be found.')
  const query = readImageQuery(request.query, settings)
  const images = query.limit === 0 ? [] : await listStoredImages(db, { ...query, viewer: viewerOf(request) })
  const search = new URLSearchParams(request.url.split('?')[1] ?? '')
  search.delete('marker')
  const first = link(search)
  const lastId = images.at(-1)?.id
  if (lastId !== undefined) search.set('marker', lastId)
  return {
    images: images.map((image) => imageView(image, settings.storeId)),
    first,
    schema: '/v2/schemas/images',
    ...(lastId !== undefined && images.length === query.limit ? { next: link(search) } : {}),
  }
}

const link = (search: URLSearchParams): string =>
  search.size === 0 ? '/v2/images' : `/v2/images?${search.toString()}`

async function showImage(request: ApiRequest, { db, settings }: ImageDeps) {
  return imageView(await requestedImage(request, db), settings.storeId)
}

async function removeImage(request: ApiRequest, { db, store, staging }: ImageDeps): Promise<void> {
  const image = await requestedImage(request, db)
  authorizeImage(request, image, 'delete_image')
  if (image.protected === 1)
    throw new Fault('forbidden', `Image ${image.id} is protected and cannot be deleted.`, { id: image.id })
  await inTransaction(db, (transaction) => deleteImage(transaction, image.id))
  // The row first: data without a row are found and removed at the next start, a row without data is broken.
  await store.delete(image.id)
  await staging.delete(image.id)
}

function refuseCollection(request: ApiRequest): never {
  if (request.path.endsWith('/')) throw new Fault('not-found', 'The resource could not be found.')
  throw new Fault(
    'method-not-allowed',
    'The method DELETE is not allowed for /v2/images; it takes GET, POST.',
  )
}

async function deactivateImage(request: ApiRequest, deps: ImageDeps): Promise<void> {
  await switchStatus(request, deps, 'deactivate', 'active', 'deactivated')
}

async function reactivateImage(request: ApiRequest, deps: ImageDeps): Promise<void> {
  await switchStatus(request, deps, 'reactivate', 'deactivated', 'active')
}

async function switchStatus(
  request: ApiRequest,
  { db }: ImageDeps,
  rule: 'deactivate' | 'reactivate',
  from: string,
  to: string,
): Promise<void> {
  const image = await requestedImage(request, db)
  authorizeImage(request, image, rule)
  if (image.status === to || (await moveImage(db, image.id, from, to))) return
  throw new Fault('invalid', `Image status transition from ${image.status} to ${to} is not allowed`, {
    from: image.status,
    to,
  })
}
