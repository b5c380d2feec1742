import { showSeconds } from '../../../base/clock.ts'
import type { Image } from '../../store/images.ts'

/** Properties of the service's own that users do not see. */
const hidden = ['os_glance_stage_host']

/** An image as the API shows it. */
export function imageView(image: Image, storeId: string) {
  const path = `/v2/images/${image.id}`
  const custom = Object.fromEntries(
    Object.entries(image.properties).filter(([name]) => !hidden.includes(name)),
  )
  const hasData = image.status === 'active' || image.status === 'deactivated'
  return {
    ...custom,
    name: image.name,
    disk_format: image.disk_format,
    container_format: image.container_format,
    visibility: image.visibility,
    size: image.size,
    virtual_size: image.virtual_size,
    status: image.status,
    checksum: image.checksum,
    protected: image.protected === 1,
    min_ram: image.min_ram,
    min_disk: image.min_disk,
    owner: image.owner,
    os_hidden: image.os_hidden === 1,
    os_hash_algo: image.os_hash_algo,
    os_hash_value: image.os_hash_value,
    id: image.id,
    created_at: showSeconds(image.created_at),
    updated_at: showSeconds(image.updated_at),
    tags: image.tags,
    self: path,
    file: `${path}/file`,
    schema: '/v2/schemas/image',
    ...(hasData ? { stores: storeId } : {}),
  }
}
