import { Fault, isFault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import { moveImage } from '../../store/images.ts'
import type { ImageDeps } from '../deps.ts'
import { authorizeImage, requestedImage } from '../images/lookup.ts'
import { assertBytes, receive } from './receive.ts'
import { startMove } from './upload-image.ts'

/** `PUT /v2/images/{id}/stage`: queued → uploading; the data wait for the import. */
export async function stageImage(request: ApiRequest, deps: ImageDeps): Promise<void> {
  const { db, staging, settings } = deps
  if (!settings.enabledImportMethods.includes('glance-direct'))
    throw new Fault('not-found', "'glance-direct' method is not available at this site.")
  assertBytes(request)
  const image = await requestedImage(request, db)
  authorizeImage(request, image, 'modify_image')
  await startMove(deps, image, 'uploading')
  using _work = deps.underWay(image.id, 'uploading')
  try {
    const data = await receive(request, staging, image.id, {
      maxBytes: settings.imageSizeCap,
      accept: () => undefined,
    })
    if (await moveImage(db, image.id, 'uploading', 'uploading', { size: data.size })) return
    await staging.delete(image.id)
    throw new Fault('gone', `Image ${image.id} was deleted while its data were staged.`)
  } catch (error) {
    if (!isFault(error, 'gone')) await staging.delete(image.id)
    await moveImage(db, image.id, 'uploading', 'queued', { size: null, virtual_size: null })
    throw error
  }
}
