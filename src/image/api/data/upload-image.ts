import { Fault, isFault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import type { StoredData } from '../../backends/file-store.ts'
import { assertFormat } from '../../backends/inspect-format.ts'
import { type Image, moveImage } from '../../store/images.ts'
import type { ImageDeps } from '../deps.ts'
import { authorizeImage, requestedImage } from '../images/lookup.ts'
import { assertBytes, receive } from './receive.ts'

/** `PUT /v2/images/{id}/file`: queued → saving → active, or back to queued with nothing kept. */
export async function uploadImage(request: ApiRequest, deps: ImageDeps): Promise<void> {
  const { db, store, settings } = deps
  assertBytes(request)
  assertStore(request, settings.storeId)
  const image = await requestedImage(request, db)
  authorizeImage(request, image, 'upload_image')
  assertFormatsSet(image)
  await startMove(deps, image, 'saving')
  using _work = deps.underWay(image.id, 'saving')
  try {
    const data = await receive(request, store, image.id, {
      maxBytes: settings.imageSizeCap,
      accept: acceptData(image, deps),
    })
    await activate(deps, image, 'saving', data)
  } catch (error) {
    // Before the image is queued again: from then on the data may be another upload's.
    if (!isFault(error, 'gone')) await store.delete(image.id)
    await moveImage(db, image.id, 'saving', 'queued', { size: null, virtual_size: null })
    throw error
  }
}

/** Throws `invalid` unless the formats are known: nothing could be made of the data. */
export function assertFormatsSet(image: Image): void {
  const missing = (['disk_format', 'container_format'] as const).filter((name) => !image[name])
  if (missing.length === 0) return
  const what = missing.length === 1 ? 'Property' : 'Properties'
  throw new Fault('invalid', `${what} ${missing.join(', ')} must be set prior to saving data.`, { missing })
}

/** Checks data against what the image says they are. */
export const acceptData =
  (image: Image, { settings }: Pick<ImageDeps, 'settings'>) =>
  (data: StoredData): void => {
    if (settings.requireImageFormatMatch) assertFormat(data.inspection, image.disk_format ?? 'raw')
  }

/** queued → `to`, which one request only can win. */
export async function startMove({ db }: Pick<ImageDeps, 'db'>, image: Image, to: string): Promise<void> {
  if (await moveImage(db, image.id, 'queued', to)) return
  throw new Fault('conflict', `Image status transition from ${image.status} to ${to} is not allowed`, {
    from: image.status,
    to,
  })
}

/** Makes an image whose data are stored active; `gone` when it was deleted meanwhile, and then the data too. */
export async function activate(
  { db, store }: Pick<ImageDeps, 'db' | 'store'>,
  image: Image,
  from: string,
  data: StoredData,
): Promise<void> {
  const { inspection } = data
  const isActive = await moveImage(db, image.id, from, 'active', {
    size: data.size,
    virtual_size: inspection.format === 'raw' ? data.size : (inspection.virtualSize ?? null),
    checksum: data.checksum,
    os_hash_algo: data.osHashAlgo,
    os_hash_value: data.osHashValue,
  })
  if (isActive) return
  await store.delete(image.id)
  throw new Fault(
    'gone',
    `Image ${image.id} could not be found after upload. The image may have been deleted during the upload.`,
  )
}

function assertStore(request: ApiRequest, storeId: string): void {
  const asked = request.headers['x-image-meta-store']
  if (asked !== undefined && asked !== storeId)
    throw new Fault('invalid', `Unknown store '${String(asked)}'; there is '${storeId}'.`)
}
