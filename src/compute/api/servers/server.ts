import { type TSchema, Type } from 'typebox'
import type { Change, Fields, History } from '../../../base/http/fields.ts'
import { type Microversion, parseVersion } from '../../../base/http/microversion.ts'
import type { Link } from '../links.ts'
import { description, Flag, HostName, Metadata, Name, Uuid, wholeNumber } from '../schema-types.ts'

export const Tag = Type.String({ minLength: 1, maxLength: 60, pattern: '^[^,/]*$' })
const Text = Type.String()
const Maybe = Type.Union([Type.String(), Type.Null()])
const TrustedCerts = Type.Unsafe<string[] | null>({
  type: ['array', 'null'],
  minItems: 1,
  maxItems: 50,
  uniqueItems: true,
  items: { type: 'string', minLength: 1 },
})
const GuestHostname = Type.String({
  minLength: 2,
  maxLength: 63,
  pattern: '^[a-zA-Z0-9]+[a-zA-Z0-9\\-]*[a-zA-Z0-9]+$',
})
// Since 2.94 a name within a domain.
const GuestFqdn = Type.String({ minLength: 2, maxLength: 255, pattern: '^[a-zA-Z0-9\\-._]*$' })

const strict = { additionalProperties: false }

// Tags came at 2.32, were lost at 2.37 for networks, and came back at 2.42.
const networkTag = (version: Microversion) => (version >= 2032 && version <= 2036) || version >= 2042

function networksAt(version: Microversion): TSchema {
  const network = Type.Object(
    {
      fixed_ip: Type.Optional(Type.String({ format: 'ip' })),
      port: Type.Optional(Type.Union([Uuid, Type.Null()])),
      uuid: Type.Optional(version < 2037 ? Text : Uuid),
      ...(networkTag(version) ? { tag: Type.Optional(Tag) } : {}),
    },
    strict,
  )
  const list = Type.Array(network)
  return version < 2037 ? list : Type.Union([list, Type.Enum(['none', 'auto'])])
}

const blockDevice: Record<string, TSchema> = {
  virtual_name: Type.String({ maxLength: 255 }),
  volume_id: Uuid,
  snapshot_id: Uuid,
  volume_size: wholeNumber(1),
  device_name: Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._/-]*$' }),
  delete_on_termination: Flag,
  no_device: Type.Unknown(),
  connection_info: Text,
}

function blockDevicesAt(version: Microversion): TSchema {
  const parts: Record<string, TSchema> = {
    ...blockDevice,
    source_type: Type.Enum(['volume', 'image', 'snapshot', 'blank']),
    uuid: Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._-]*$' }),
    image_id: Uuid,
    destination_type: Type.Enum(['local', 'volume']),
    guest_format: Type.String({ maxLength: 255 }),
    device_type: Type.String({ maxLength: 255 }),
    disk_bus: Type.String({ maxLength: 255 }),
    boot_index: Type.Unsafe({ type: ['integer', 'string', 'null'], pattern: '^-?[0-9]+$' }),
  }
  if (version === 2032 || version >= 2042) parts['tag'] = Tag
  if (version >= 2067) parts['volume_type'] = Type.Unsafe({ type: ['string', 'null'], maxLength: 255 })
  return Type.Array(optional(parts))
}

const optional = (parts: Record<string, TSchema>) =>
  Type.Object(
    Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, Type.Optional(part)])),
    strict,
  )

export const serverFields = {
  id: { schema: Text },
  name: { schema: Name, in: ['view', 'create', 'update'], required: true },
  status: { schema: Text },
  tenant_id: { schema: Text },
  user_id: { schema: Text },
  metadata: { schema: Metadata, in: ['view', 'create'] },
  hostId: { schema: Text },
  image: { schema: Type.Unknown() },
  flavor: { schema: Type.Unknown() },
  created: { schema: Text },
  updated: { schema: Text },
  addresses: { schema: Type.Object({}) },
  accessIPv4: { schema: Type.String({ format: 'ipv4' }), in: ['view', 'create', 'update'] },
  accessIPv6: { schema: Type.String({ format: 'ipv6' }), in: ['view', 'create', 'update'] },
  links: { schema: Type.Array(Type.Object({})) },
  'OS-DCF:diskConfig': { schema: Type.Enum(['AUTO', 'MANUAL']), in: ['view', 'create', 'update'] },
  fault: { schema: Type.Object({}) },
  progress: { schema: Type.Integer() },
  'OS-EXT-AZ:availability_zone': { schema: Text },
  config_drive: { schema: Flag, in: ['view', 'create'] },
  key_name: { schema: Name, in: ['view', 'create'] },
  'OS-SRV-USG:launched_at': { schema: Maybe },
  'OS-SRV-USG:terminated_at': { schema: Maybe },
  security_groups: {
    schema: Type.Array(Type.Object({ name: Type.Optional(Name) }, strict)),
    in: ['view', 'create'],
  },
  'OS-EXT-SRV-ATTR:host': { schema: Maybe },
  'OS-EXT-SRV-ATTR:instance_name': { schema: Text },
  'OS-EXT-SRV-ATTR:hypervisor_hostname': { schema: Maybe },
  'OS-EXT-SRV-ATTR:reservation_id': { schema: Text, since: '2.3' },
  'OS-EXT-SRV-ATTR:launch_index': { schema: Type.Integer(), since: '2.3' },
  'OS-EXT-SRV-ATTR:hostname': { schema: Text, since: '2.3' },
  'OS-EXT-SRV-ATTR:kernel_id': { schema: Text, since: '2.3' },
  'OS-EXT-SRV-ATTR:ramdisk_id': { schema: Text, since: '2.3' },
  'OS-EXT-SRV-ATTR:root_device_name': { schema: Maybe, since: '2.3' },
  'OS-EXT-SRV-ATTR:user_data': { schema: Maybe, since: '2.3' },
  'OS-EXT-STS:task_state': { schema: Maybe },
  'OS-EXT-STS:vm_state': { schema: Text },
  'OS-EXT-STS:power_state': { schema: Type.Integer() },
  'os-extended-volumes:volumes_attached': { schema: Type.Array(Type.Object({})) },
  locked: { schema: Type.Boolean(), since: '2.9' },
  host_status: { schema: Text, since: '2.16' },
  description: { schema: description(255), since: '2.19', in: ['view', 'create', 'update'] },
  tags: { schema: Type.Array(Tag, { maxItems: 50 }), since: '2.26' },
  trusted_image_certificates: { schema: TrustedCerts, since: '2.63', in: ['view', 'create'] },
  server_groups: { schema: Type.Array(Text), since: '2.71' },
  locked_reason: { schema: Maybe, since: '2.73' },
  pinned_availability_zone: { schema: Maybe, since: '2.96' },

  imageRef: { schema: Type.Union([Uuid, Type.String({ maxLength: 0 })]), in: ['create'] },
  flavorRef: {
    schema: Type.Unsafe<string | number>({ type: ['string', 'integer'], minLength: 1 }),
    in: ['create'],
    required: true,
  },
  adminPass: { schema: Text, in: ['create'] },
  networks: { schema: networksAt, in: ['create'], required: '2.37' },
  personality: {
    schema: Type.Array(optional({ path: Text, contents: Text })),
    until: '2.56',
    in: ['create'],
  },
  availability_zone: { schema: Name, in: ['create'] },
  block_device_mapping: { schema: Type.Array(optional(blockDevice)), in: ['create'] },
  block_device_mapping_v2: { schema: blockDevicesAt, in: ['create'] },
  min_count: { schema: wholeNumber(1), in: ['create'] },
  max_count: { schema: wholeNumber(1), in: ['create'] },
  return_reservation_id: { schema: Flag, in: ['create'] },
  user_data: { schema: Type.String({ maxLength: 65_535 }), in: ['create'] },
  host: { schema: HostName, since: '2.74', in: ['create'] },
  hypervisor_hostname: { schema: HostName, since: '2.74', in: ['create'] },
  hostname: {
    schema: (version) => (version < 2094 ? GuestHostname : GuestFqdn),
    since: '2.90',
    in: ['create', 'update'],
  },
} satisfies Fields

/** Views had tags from 2.26, bodies take them since 2.52. */
export const createOnlyFields = {
  tags: { schema: Type.Array(Tag, { maxItems: 50 }), since: '2.52', in: ['create'] },
} satisfies Fields

export interface ServerView extends Record<string, unknown> {
  id: string
  flavor?: FlavorPart | { id: string; links: Link[] }
}

export interface FlavorPart {
  vcpus: number
  ram: number
  disk: number
  ephemeral: number
  swap: number
  original_name: string
  extra_specs?: Readonly<Record<string, string>>
}

/** What `since` and `until` do not say. `flavorLink` makes the link that a flavor was until 2.46. */
export function serverHistory(parts: {
  flavorLink(view: ServerView): { id: string; links: Link[] }
  isAdmin: boolean
}): History<ServerView> {
  const changes: Change<ServerView>[] = [
    {
      at: '2.47',
      note: 'the flavor is shown as it was at boot; before, it was linked',
      down: (view) => ({ ...view, flavor: parts.flavorLink(view) }),
    },
  ]
  if (parts.isAdmin) return changes
  return [
    {
      at: '2.90',
      note: 'the hostname is shown to everybody; before, to administrators',
      down: ({ 'OS-EXT-SRV-ATTR:hostname': _hidden, ...view }) => view as ServerView,
    },
    ...changes,
  ]
}

const shownByUpdate = new Set(
  (
    'id name status tenant_id user_id metadata hostId image flavor created updated addresses accessIPv4 accessIPv6 ' +
    'links OS-DCF:diskConfig fault progress locked description tags trusted_image_certificates server_groups ' +
    'locked_reason'
  ).split(' '),
)

/** Until 2.74 the answers of update and rebuild left out what had once come from extensions. */
export function afterUpdate(view: ServerView, version: Microversion): ServerView {
  if (version >= parseVersion('2.75')) return view
  const kept = Object.entries(view).filter(([key]) => shownByUpdate.has(key))
  return { ...(Object.fromEntries(kept) as ServerView), addresses: plainAddresses(view['addresses']) }
}

function plainAddresses(addresses: unknown): unknown {
  const plain: Record<string, unknown[]> = {}
  for (const [label, list] of Object.entries(
    addresses as Record<string, { version: number; addr: string }[]>,
  ))
    plain[label] = list.map(({ version, addr }) => ({ version, addr }))
  return plain
}
