import { Type } from 'typebox'
import { schemaAt } from '../../../../base/http/fields.ts'
import { byVersion, wrapped } from '../../schema-types.ts'
import { createOnlyFields, serverFields } from '../server.ts'

const uuids = { type: 'array', items: { type: 'string', format: 'uuid' } }

// What hints there are is the scheduler's matter; these few must at least look right.
const Hints = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  properties: {
    group: { type: 'string', format: 'uuid' },
    different_host: { anyOf: [{ type: 'string', format: 'uuid' }, uuids] },
    same_host: { anyOf: [{ type: 'string' }, uuids] },
    query: { type: ['string', 'object'] },
    different_cell: { type: ['string', 'array'], items: { type: 'string' } },
    build_near_host_ip: { type: 'string', format: 'ip' },
    cidr: { type: 'string', pattern: '^/[0-9a-f.:]+$' },
  },
})

/** The body of `POST /servers` at a microversion. */
export const createServerBody = byVersion((version) => {
  const server = schemaAt({ ...serverFields, ...createOnlyFields }, 'create', version)
  return wrapped('server', server, {
    'os:scheduler_hints': Type.Optional(Hints),
    'OS-SCH-HNT:scheduler_hints': Type.Optional(Hints),
  })
})

export interface BlockDevice {
  source_type?: 'volume' | 'image' | 'snapshot' | 'blank'
  destination_type?: 'local' | 'volume'
  uuid?: string
  boot_index?: number | string | null
  volume_size?: number | string
  guest_format?: string
  volume_type?: string | null
  no_device?: unknown
}

export interface NetworkWish {
  uuid?: string
  port?: string | null
  fixed_ip?: string
  tag?: string
}

export interface NewServer {
  name: string
  flavorRef: string | number
  imageRef?: string
  adminPass?: string
  metadata?: Record<string, string>
  networks?: NetworkWish[] | 'auto' | 'none'
  'OS-DCF:diskConfig'?: 'AUTO' | 'MANUAL'
  accessIPv4?: string
  accessIPv6?: string
  personality?: { path?: string; contents?: string }[]
  availability_zone?: string
  block_device_mapping?: { volume_id?: string; snapshot_id?: string; no_device?: unknown }[]
  block_device_mapping_v2?: BlockDevice[]
  config_drive?: boolean | string
  key_name?: string
  min_count?: number | string
  max_count?: number | string
  return_reservation_id?: boolean | string
  security_groups?: { name?: string }[]
  user_data?: string
  description?: string | null
  tags?: string[]
  trusted_image_certificates?: string[] | null
  host?: string
  hypervisor_hostname?: string
  hostname?: string
}

export interface CreateServerBody {
  server: NewServer
  'os:scheduler_hints'?: Record<string, unknown>
  'OS-SCH-HNT:scheduler_hints'?: Record<string, unknown>
}
