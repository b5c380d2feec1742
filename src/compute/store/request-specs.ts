/** What was asked for when a server was created: all that choosing a host, and building it there, needs. */
import { timestamp } from '../../base/clock.ts'
import { byIdsIn } from '../../base/db/by-ids.ts'
import type { Db } from '../../base/db/database.ts'
import { insertStatement, statement } from '../../base/db/statement.ts'
import { Fault } from '../../base/errors.ts'
import { gathered } from '../../base/gathered.ts'
import type { ApiTables } from './api-tables.ts'
import type { Flavor } from './flavors.ts'

export interface RequestedImage {
  id: string
  name: string
  diskFormat: string
  containerFormat: string
  /** Bytes of the image. */
  size: number
  minDiskGb: number
  minRamMb: number
  /** `hw_…`, `os_…`, `trait:…` and the rest. */
  properties: Record<string, string>
}

/** One interface that the user asked for: a network, or a port of the user's own. */
export interface RequestedNetwork {
  networkId: string | null
  portId: string | null
  fixedIp: string | null
  tag: string | null
}

export interface RequestSpec {
  instanceUuid: string
  projectId: string
  userId: string
  /** How many servers were asked for at once. */
  numInstances: number
  /** Null for a server that boots from a volume. */
  image: RequestedImage | null
  flavor: Flavor
  /** As asked for; null when any will do. */
  availabilityZone: string | null
  /** `availability_zone: zone:host:node` of an administrator: no filter is asked. */
  forceHost: string | null
  forceNode: string | null
  /** `host` and `hypervisor_hostname` of 2.74: filters still decide. */
  requestedHost: string | null
  requestedNode: string | null
  ignoreHosts: string[]
  /** Each hint as a list. */
  schedulerHints: Record<string, string[]>
  /** The server group of the hint `group`. */
  groupUuid: string | null
  /** `auto`: the project's network; `none`: no interface. */
  networks: 'auto' | 'none' | RequestedNetwork[]
  /** Ids, for ports that are made for the server. */
  securityGroupIds: string[]
  /** Files to put on the config drive, up to 2.56; contents are base64. */
  personality: { path: string; contents: string }[]
}

export async function insertRequestSpec(db: Db<ApiTables>, spec: RequestSpec): Promise<void> {
  await insertSpec(db, {
    instance_uuid: spec.instanceUuid,
    spec: JSON.stringify(spec),
    availability_zone: spec.availabilityZone,
    created_at: timestamp(),
    updated_at: null,
  })
}

const insertSpec = insertStatement<ApiTables, 'request_specs'>('request_specs')
const selectSpec = statement((db: Db<ApiTables>, p: { uuid: string }) =>
  db.selectFrom('request_specs').select('spec').where('instance_uuid', '=', p.uuid),
)
const removeSpec = statement((db: Db<ApiTables>, p: { uuid: string }) =>
  db.deleteFrom('request_specs').where('instance_uuid', '=', p.uuid),
)

export async function findRequestSpec(
  db: Db<ApiTables>,
  instanceUuid: string,
): Promise<RequestSpec | undefined> {
  const [row] = (await selectSpec(db, { uuid: instanceUuid })).rows
  return row === undefined ? undefined : (JSON.parse(row.spec) as RequestSpec)
}

export async function getRequestSpec(db: Db<ApiTables>, instanceUuid: string): Promise<RequestSpec> {
  const spec = await findRequestSpec(db, instanceUuid)
  if (spec === undefined) throw specNotFound(instanceUuid)
  return spec
}

export const specNotFound = (instanceUuid: string): Fault =>
  new Fault('not-found', `RequestSpec not found for instance ${instanceUuid}`, { instanceUuid })

/** Sets properties of the image as the server has them: its guest is built with them when it next starts. */
export async function setImageProperties(
  db: Db<ApiTables>,
  instanceUuid: string,
  properties: Readonly<Record<string, string>>,
): Promise<void> {
  const spec = await getRequestSpec(db, instanceUuid)
  if (spec.image === null) {
    throw new Fault('not-found', `Instance ${instanceUuid} boots from a volume and has no image properties.`)
  }
  const image = { ...spec.image, properties: { ...spec.image.properties, ...properties } }
  const changed = await db
    .updateTable('request_specs')
    .set({ spec: JSON.stringify({ ...spec, image }), updated_at: timestamp() })
    .where('instance_uuid', '=', instanceUuid)
    .where('spec', '=', JSON.stringify(spec))
    .executeTakeFirst()
  if (changed.numUpdatedRows === 1n) return
  throw new Fault('conflict', `Instance ${instanceUuid} was changed at the same time: try again.`)
}

const readSpecs = byIdsIn<ApiTables>()((db, uuids) =>
  db.selectFrom('request_specs').select(['instance_uuid', 'spec']).where('instance_uuid', 'in', uuids),
)

/** The properties of their images as the servers have them, by server; none of a server that boots from a volume. */
export async function listImageProperties(
  db: Db<ApiTables>,
  instanceUuids: readonly string[],
): Promise<Map<string, Readonly<Record<string, string>>>> {
  const rows = await readSpecs(db, instanceUuids)
  return new Map(
    rows.map(({ instance_uuid, spec }) => [
      instance_uuid,
      (JSON.parse(spec) as RequestSpec).image?.properties ?? {},
    ]),
  )
}

const readZones = byIdsIn<ApiTables>()((db, uuids) =>
  db
    .selectFrom('request_specs')
    .select(['instance_uuid', 'availability_zone'])
    .where('instance_uuid', 'in', uuids),
)

/**
 * The zones that servers were pinned to when they were created, by server; null: to none. They never change, and are
 * kept: of a server that was deleted it may still tell one.
 */
export async function listPinnedZones(
  db: Db<ApiTables>,
  instanceUuids: readonly string[],
): Promise<Map<string, string | null>> {
  const known = knownZonesOf(db)
  const found = new Map<string, string | null>()
  const unknown: string[] = []
  for (const uuid of instanceUuids) {
    const zone = known.get(uuid)
    if (zone === undefined) unknown.push(uuid)
    else found.set(uuid, zone)
  }
  for (const { instance_uuid: uuid, availability_zone: zone } of await readZones(db, unknown)) {
    found.set(uuid, zone)
    known.set(uuid, zone)
    if (known.size > mostKnownZones) known.delete(known.keys().next().value!)
  }
  return found
}

const mostKnownZones = 20_000

const knownZones = new WeakMap<Db<ApiTables>, Map<string, string | null>>()

function knownZonesOf(db: Db<ApiTables>): Map<string, string | null> {
  let known = knownZones.get(db)
  if (known === undefined) {
    known = new Map()
    knownZones.set(db, known)
  }
  return known
}

const readWishes = byIdsIn<ApiTables>()((db, uuids) =>
  db
    .selectFrom('request_specs as spec')
    .leftJoin('instance_group_member as member', 'member.instance_uuid', 'spec.instance_uuid')
    .leftJoin('instance_groups as group', 'group.id', 'member.group_id')
    .select(['spec.instance_uuid', 'spec.availability_zone', 'group.uuid as group_uuid'])
    .where('spec.instance_uuid', 'in', uuids),
)

/** What a single server shows of how it was asked for: the zone it was pinned to, and the groups it is in. */
export const wishesOf = gathered(async (db: Db<ApiTables>, instanceUuids: readonly string[]) => {
  const found = new Map<string, { zone: string | null; groups: string[] }>()
  for (const row of await readWishes(db, instanceUuids)) {
    const groups = found.get(row.instance_uuid)?.groups ?? []
    if (row.group_uuid !== null) groups.push(row.group_uuid)
    found.set(row.instance_uuid, { zone: row.availability_zone, groups })
  }
  return found
})

export async function deleteRequestSpec(db: Db<ApiTables>, instanceUuid: string): Promise<void> {
  await removeSpec(db, { uuid: instanceUuid })
}
