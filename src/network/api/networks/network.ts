/** Networks (`/v2.0/networks`). */
import { sql } from 'kysely'
import { newUuid } from '../../../base/ids.ts'
import { noteDhcpHosts } from '../../dhcp/schedule.ts'
import { conflict, invalidInput, neutronFault, unknown } from '../../errors.ts'
import { deletePort } from '../../ml2/delete-port.ts'
import { insertSegments, mtuOf, releaseSegments, takeSegments } from '../../ml2/segments.ts'
import type { TypeDriver } from '../../ml2/type-driver.ts'
import { setSharedWithAll, sharedWith } from '../../store/rbac-policies.ts'
import { ensureDefaultGroup } from '../../store/security-groups.ts'
import { newStandard } from '../../store/standard.ts'
import type { NetworkRow } from '../../store/tables.ts'
import { deleteTagsOf } from '../../store/tags.ts'
import type { Work } from '../../work.ts'
import type { Values } from '../attributes.ts'
import { toBoolean } from '../converters.ts'
import type { Condition, Resource } from '../resource.ts'
import { networkAttributes } from './network.attributes.ts'
import { viewNetworks } from './network.view.ts'
import { segmentsWanted } from './wanted-segments.ts'

const sharedActions = ['access_as_shared', 'access_as_external']

export function networkResource(drivers: ReadonlyMap<string, TypeDriver>): Resource<NetworkRow> {
  return {
    name: 'network',
    collection: 'networks',
    path: 'networks',
    table: 'networks',
    objectType: 'network',
    counted: true,
    standard: true,
    tagged: true,
    attributes: networkAttributes,
    unknown: unknown.network,
    columns: { 'router:external': 'is_external', mtu: 'mtu' },
    filters: {
      shared: (values, caller) => {
        const wanted = values.map(toBoolean)
        if (wanted.includes(true) && wanted.includes(false)) return sql<boolean>`1 = 1`
        const shared = sharedWith('networks.id', caller.projectId, ['access_as_shared'])
        return wanted[0] === true ? shared : sql<boolean>`not (${shared})`
      },
      'provider:network_type': (values) => onSegment('network_type', values),
      'provider:physical_network': (values) => onSegment('physical_network', values),
      'provider:segmentation_id': (values) => onSegment('segmentation_id', values.map(Number)),
    },
    visible: (caller) => {
      const shared = sharedWith('networks.id', caller.projectId, sharedActions)
      return sql<boolean>`(networks.project_id = ${caller.projectId} or ${shared})`
    },
    view: viewNetworks,
    create: (work, values) => createNetwork(work, drivers, values),
    update: updateNetwork,
    remove: (work, row) => deleteNetwork(work, drivers, row),
  }
}

const onSegment = (column: string, values: readonly unknown[]): Condition =>
  sql<boolean>`networks.id in (select network_id from networksegments where ${sql.ref(column)} in (${sql.join(values)}))`

async function createNetwork(
  work: Work,
  drivers: ReadonlyMap<string, TypeDriver>,
  values: Values,
): Promise<string> {
  const id = newUuid()
  const projectId = values['project_id'] as string
  const hints = values['availability_zone_hints'] as string[]
  await assertZones(work, hints)
  if (projectId !== '') await ensureDefaultGroup(work, projectId)
  const segments = await takeSegments(work, drivers, segmentsWanted(values))
  const most = mtuOf(drivers, segments)
  const mtu = checkedMtu(values['mtu'] as number | undefined, most)
  await work.db
    .insertInto('networks')
    .values({
      ...newStandard(work, id, projectId, values['description']),
      name: values['name'] as string,
      status: 'ACTIVE',
      admin_state_up: Number(values['admin_state_up']),
      mtu,
      port_security_enabled: Number(values['port_security_enabled'] ?? true),
      dns_domain: (values['dns_domain'] as string | undefined) ?? '',
      is_external: Number(values['router:external'] ?? false),
      is_default: Number(values['is_default'] ?? false),
      availability_zone_hints: JSON.stringify(hints),
    })
    .execute()
  await insertSegments(work, id, segments)
  const object = { type: 'network', id, projectId }
  if (values['shared'] === true) await setSharedWithAll(work.db, object, 'access_as_shared', true)
  if (values['router:external'] === true) await setSharedWithAll(work.db, object, 'access_as_external', true)
  return id
}

function checkedMtu(wanted: number | undefined, most: number): number {
  if (wanted === undefined || wanted === 0) return most
  if (wanted > most) throw invalidInput(`Requested MTU is too big, maximum is ${most}`)
  return wanted
}

async function assertZones(work: Work, hints: readonly string[]): Promise<void> {
  for (const zone of hints) {
    const agent = await work.db
      .selectFrom('agents')
      .select('id')
      .where('availability_zone', '=', zone)
      .executeTakeFirst()
    if (agent === undefined) {
      throw neutronFault(
        'not-found',
        'AvailabilityZoneNotFound',
        `AvailabilityZone ${zone} could not be found.`,
      )
    }
  }
}

async function updateNetwork(work: Work, row: NetworkRow, values: Values): Promise<void> {
  const provider = Object.keys(values).filter((name) => name.startsWith('provider:') || name === 'segments')
  if (provider.length > 0) throw invalidInput('Plugin does not support updating provider attributes')
  const set: Partial<NetworkRow> = {}
  if (values['name'] !== undefined) set.name = values['name'] as string
  if (values['description'] !== undefined) set.description = values['description'] as string
  if (values['dns_domain'] !== undefined) set.dns_domain = values['dns_domain'] as string
  if (values['admin_state_up'] !== undefined) set.admin_state_up = Number(values['admin_state_up'])
  if (values['is_default'] !== undefined) set.is_default = Number(values['is_default'])
  if (values['port_security_enabled'] !== undefined)
    set.port_security_enabled = Number(values['port_security_enabled'])
  if (values['router:external'] !== undefined) set.is_external = Number(values['router:external'])
  if (values['mtu'] !== undefined) set.mtu = checkedMtu(values['mtu'] as number, row.mtu)
  if (set.admin_state_up !== undefined) await lockNetwork(work, row.id)
  if (Object.keys(set).length > 0)
    await work.db.updateTable('networks').set(set).where('id', '=', row.id).execute()
  const object = { type: 'network', id: row.id, projectId: row.project_id }
  if (values['shared'] === false) await assertNotShared(work, row)
  if (values['shared'] !== undefined)
    await setSharedWithAll(work.db, object, 'access_as_shared', values['shared'] === true)
  if (values['router:external'] !== undefined)
    await setSharedWithAll(work.db, object, 'access_as_external', values['router:external'] === true)
  work.changes.networks.add(row.id)
  // An agent forgets a network that is switched off.
  if (set.admin_state_up !== undefined) await noteDhcpHosts(work, row.id)
}

/** Who adds ports or DHCP agents to the network meanwhile waits until this transaction ended. */
async function lockNetwork(work: Work, id: string): Promise<void> {
  await work.db.selectFrom('networks').select('id').where('id', '=', id).forUpdate().execute()
}

/** A network that others use can't be taken from them. */
export async function assertNotShared(work: Work, row: NetworkRow): Promise<void> {
  const users = await sql<{ project_id: string }>`
    select distinct project_id from (
      select project_id from ports where network_id = ${row.id} and device_owner not like 'network:%'
      union select project_id from subnets where network_id = ${row.id}
    ) as users
    where project_id <> ${row.project_id} and project_id not in (
      select target_project from rbac_policies where object_id = ${row.id} and action = 'access_as_shared')`.execute(
    work.db,
  )
  if (users.rows.length === 0) return
  throw conflict(
    'InvalidSharedSetting',
    `Unable to reconfigure sharing settings for network ${row.name}. Multiple tenants are using it.`,
  )
}

async function deleteNetwork(
  work: Work,
  drivers: ReadonlyMap<string, TypeDriver>,
  row: NetworkRow,
): Promise<void> {
  await lockNetwork(work, row.id)
  const ports = await work.db.selectFrom('ports').selectAll().where('network_id', '=', row.id).execute()
  const used = ports.filter((port) => port.device_owner !== 'network:dhcp')
  if (used.length > 0) {
    throw conflict(
      'NetworkInUse',
      `Unable to complete operation on network ${row.id}. There are one or more ports still in use on the network, id for these ports is: ${used.map((port) => port.id).join(',')}.`,
    )
  }
  await noteDhcpHosts(work, row.id)
  for (const port of ports) await deletePort(work, port)
  const subnets = await work.db.selectFrom('subnets').select('id').where('network_id', '=', row.id).execute()
  const subnetIds = subnets.map((subnet) => subnet.id)
  await deleteTagsOf(work.db, subnetIds)
  await work.db.deleteFrom('subnets').where('network_id', '=', row.id).execute()
  const segments = await work.db
    .selectFrom('networksegments')
    .selectAll()
    .where('network_id', '=', row.id)
    .execute()
  await releaseSegments(work, drivers, segments)
  await work.db.deleteFrom('networks').where('id', '=', row.id).execute()
}
