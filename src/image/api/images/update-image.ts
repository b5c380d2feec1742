import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import { type Image, saveImage } from '../../store/images.ts'
import type { ImageDeps } from '../deps.ts'
import { assertSizes } from './create-image.ts'
import { imageView } from './image.view.ts'
import { type Change, readPatch } from './json-patch.ts'
import { authorizeImage, authorizeVisibility, imageToChange, requestedImage } from './lookup.ts'
import { assertQuotas } from './quotas.ts'

const columns = [
  'name',
  'visibility',
  'protected',
  'os_hidden',
  'owner',
  'container_format',
  'disk_format',
  'tags',
  'min_ram',
  'min_disk',
] as const

type Column = (typeof columns)[number]

export async function updateImage(request: ApiRequest, deps: ImageDeps) {
  const changes = await readPatch(request, deps.settings)
  // Read and written in one transaction, so that of two patches at once neither is lost, nor the end of an upload.
  const image = await inTransaction(deps.db, async (transaction) => {
    const found = await imageToChange(request, transaction)
    for (const change of changes) apply(request, found, change)
    if (changes.length === 0) authorizeImage(request, found, 'modify_image')
    assertQuotas(found, deps.settings)
    if (changes.length > 0) await saveImage(transaction, found)
    return found
  })
  return imageView((await requestedImage(request, deps.db)) ?? image, deps.settings.storeId)
}

function apply(request: ApiRequest, image: Image, change: Change): void {
  const { name, op, value, addOnly } = change
  if (name === 'locations')
    throw new Fault('forbidden', `It's not allowed to ${verb[op]} locations if locations are invisible.`)
  if (op !== 'remove' && name === 'visibility') authorizeVisibility(request, image, String(value))
  authorizeImage(request, image, 'modify_image')
  if (name === 'owner' && !request.can('context_is_admin'))
    throw new Fault('forbidden', "Owner can't be updated by non admin.")
  const column = columns.find((known) => known === name)
  const present = column !== undefined || Object.hasOwn(image.properties, name)
  if (op === 'add' && present && addOnly)
    throw new Fault('conflict', `Property ${name} already present.`, { name })
  if (op !== 'add' && !present) throw new Fault('conflict', `Property ${name} does not exist.`, { name })
  if (column === undefined) {
    if (op === 'remove') delete image.properties[name]
    else image.properties[name] = String(value ?? '')
    return
  }
  if (op === 'remove') throw new Fault('forbidden', `Property ${name} may not be removed.`, { name })
  setColumn(image, column, value)
}

const verb = { add: 'add', remove: 'remove', replace: 'update' } as const

// The schema has settled the types.
function setColumn(image: Image, column: Column, value: unknown): void {
  switch (column) {
    case 'protected':
    case 'os_hidden':
      image[column] = value === true ? 1 : 0
      return
    case 'min_ram':
    case 'min_disk':
      assertSizes({ [column]: value as number })
      image[column] = value as number
      return
    case 'tags':
      image.tags = [...new Set(value as string[])].sort()
      return
    case 'visibility':
      image.visibility = value as string
      return
    case 'container_format':
    case 'disk_format':
      if (image.status !== 'queued' && image.status !== 'importing')
        throw new Fault('forbidden', `Attribute ${column} can be only replaced for a queued image.`)
      image[column] = value as string | null
      return
    case 'name':
    case 'owner':
      image[column] = value as string | null
  }
}
