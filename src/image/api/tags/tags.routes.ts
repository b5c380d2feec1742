import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { saveImage } from '../../store/images.ts'
import type { ImageDeps } from '../deps.ts'
import { assertImage } from '../images/image-schema.ts'
import { authorizeImage, imageToChange } from '../images/lookup.ts'
import { assertQuotas } from '../images/quotas.ts'

export const tagRoutes: readonly Route<ImageDeps>[] = [
  { put: '/v2/images/:id/tags/:tag', policy: 'default', handler: addTag },
  { delete: '/v2/images/:id/tags/:tag', policy: 'default', handler: removeTag },
]

async function addTag(request: ApiRequest, { db, settings }: ImageDeps): Promise<void> {
  const tag = request.params['tag']!
  assertImage(settings, { tags: [tag] })
  await inTransaction(db, async (transaction) => {
    const image = await imageToChange(request, transaction)
    authorizeImage(request, image, 'modify_image')
    if (image.tags.includes(tag)) return
    image.tags.push(tag)
    assertQuotas(image, settings)
    await saveImage(transaction, image)
  })
}

async function removeTag(request: ApiRequest, { db }: ImageDeps): Promise<void> {
  const tag = request.params['tag']!
  await inTransaction(db, async (transaction) => {
    const image = await imageToChange(request, transaction)
    authorizeImage(request, image, 'modify_image')
    if (!image.tags.includes(tag))
      throw new Fault('not-found', `The image ${image.id} has no tag ${tag}.`, { id: image.id, tag })
    image.tags = image.tags.filter((present) => present !== tag)
    await saveImage(transaction, image)
  })
}
