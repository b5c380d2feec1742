import { timestamp } from '../../../base/clock.ts'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import { newUuid } from '../../../base/ids.ts'
import { type Image, insertImage } from '../../store/images.ts'
import type { ImageDeps } from '../deps.ts'
import { imageView } from './image.view.ts'
import { assertImage, baseProperties } from './image-schema.ts'
import { authorizeVisibility } from './lookup.ts'
import { assertQuotas } from './quotas.ts'
import { isReadOnly, isReserved } from './reserved.ts'

interface NewImage {
  id?: string
  name?: string | null
  visibility?: string
  owner?: string | null
  disk_format?: string | null
  container_format?: string | null
  min_disk?: number
  min_ram?: number
  protected?: boolean
  os_hidden?: boolean
  tags?: string[]
}

export async function createImage(request: ApiRequest<unknown>, deps: ImageDeps) {
  const body = request.body
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw new Fault('invalid', 'Body expected in request.')
  assertWritable(Object.keys(body))
  assertImage(deps.settings, body)
  const image = newImage(body as NewImage & Record<string, unknown>, request, deps)
  authorizeCreate(request, image)
  authorizeVisibility(request, image, image.visibility)
  assertQuotas(image, deps.settings)
  await inTransaction(deps.db, (transaction) => insertImage(transaction, image))
  request.setHeader('location', `${request.origin}/v2/images/${image.id}`)
  request.setHeader('openstack-image-import-methods', deps.settings.enabledImportMethods.join(','))
  request.setHeader('openstack-image-store-ids', deps.settings.storeId)
  return imageView(image, deps.settings.storeId)
}

function assertWritable(keys: readonly string[]): void {
  for (const key of keys) {
    if (isReadOnly(key) && key !== 'id')
      throw new Fault('forbidden', `Attribute '${key}' is read-only.`, { attribute: key })
    if (isReserved(key) || key === 'locations')
      throw new Fault('forbidden', `Attribute '${key}' is reserved.`, { attribute: key })
    if (key.length > 255)
      throw new Fault('invalid', 'Custom property should not be greater than 255 characters.')
  }
}

function newImage(body: NewImage & Record<string, unknown>, request: ApiRequest, deps: ImageDeps): Image {
  const known = baseProperties(deps.settings)
  const custom = Object.entries(body).filter(([key]) => !(key in known))
  const now = timestamp()
  const { min_disk = 0, min_ram = 0 } = body
  assertSizes({ min_disk, min_ram })
  return {
    id: body.id?.toLowerCase() ?? newUuid(),
    name: body.name ?? null,
    size: null,
    virtual_size: null,
    status: 'queued',
    visibility: body.visibility ?? 'shared',
    checksum: null,
    os_hash_algo: null,
    os_hash_value: null,
    owner: body.owner === undefined ? request.context.projectId : body.owner,
    disk_format: body.disk_format ?? null,
    container_format: body.container_format ?? null,
    min_disk,
    min_ram,
    protected: body.protected === true ? 1 : 0,
    os_hidden: body.os_hidden === true ? 1 : 0,
    created_at: now,
    updated_at: now,
    deleted_at: null,
    deleted: 0,
    tags: [...new Set(body.tags)].sort(),
    properties: Object.fromEntries(custom.map(([key, value]) => [key, String(value ?? '')])),
  }
}

/** What an integer column holds in every database. */
const largest = 2_147_483_647

/** Throws `invalid` for a `min_disk` or `min_ram` that is negative or too large to be kept. */
export function assertSizes(values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value >= 0 && value <= largest) continue
    const reason = value < 0 ? 'Cannot be a negative value' : `It must be no larger than ${largest}`
    throw new Fault('invalid', `Invalid value '${value}' for parameter '${name}': ${reason}`, { name, value })
  }
}

function authorizeCreate(request: ApiRequest, image: Image): void {
  const target = { project_id: image.owner, owner: image.owner, visibility: image.visibility }
  if (request.can('add_image', target)) return
  if (image.owner !== request.context.projectId)
    throw new Fault('forbidden', `You are not permitted to create images owned by '${image.owner}'.`)
  throw new Fault('forbidden', 'You are not authorized to complete add_image action.')
}
