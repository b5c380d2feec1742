/** What other tables of a cell hold of its instances. */
import { sql } from 'kysely'
import { byIdsIn } from '../../base/db/by-ids.ts'
import type { CellDb } from './cell-dbs.ts'
import type { CellTables } from './cell-tables.ts'
import type { Flavor } from './flavors.ts'
import type { Instance, InstanceRow, StoredInstance } from './instance-records.ts'
import { type Known, keepKnown, knownOf } from './known-instances.ts'
import type { NetworkInfo } from './network-info.ts'

// Few flavors are shared by many instances, and parsing is most of what reading one costs.
const parsedFlavors = new Map<string, Flavor>()

function parseFlavor(json: string): Flavor {
  const known = parsedFlavors.get(json)
  if (known !== undefined) return known
  const flavor = JSON.parse(json) as Flavor
  if (parsedFlavors.size >= 1000) parsedFlavors.clear()
  parsedFlavors.set(json, flavor)
  return flavor
}

const noFlavor = {
  id: 0,
  flavorid: '',
  name: '',
  memory_mb: 0,
  vcpus: 0,
  root_gb: 0,
  ephemeral_gb: 0,
  swap: 0,
  rxtx_factor: 1,
  disabled: 0,
  is_public: 1,
  description: null,
  created_at: '',
  updated_at: null,
  extra_specs: {},
} satisfies Flavor

/** What is known of the flavor of an instance that has lost the rest of its record. */
const sizesOf = ({ memory_mb, vcpus, root_gb }: InstanceRow): Flavor => ({
  ...noFlavor,
  memory_mb,
  vcpus,
  root_gb,
})

const byIds = byIdsIn<CellTables>()
const readExtras = byIds((db, uuids) =>
  db
    .selectFrom('instance_extra as extra')
    .leftJoin('instance_info_caches as cache', 'cache.instance_uuid', 'extra.instance_uuid')
    .select([
      'extra.instance_uuid',
      'extra.flavor',
      'extra.keypairs',
      'extra.trusted_certs',
      'cache.network_info',
    ])
    .where('extra.instance_uuid', 'in', uuids),
)
// Three short tables in one read: most instances have nothing in any of them.
const readAttributes = byIds((db, uuids) =>
  db
    .selectFrom('instance_metadata')
    .select([sql<string>`'metadata'`.as('kind'), 'instance_uuid', 'key', 'value', 'id'])
    .where('instance_uuid', 'in', uuids)
    .unionAll(
      db
        .selectFrom('instance_system_metadata')
        .select([sql<string>`'system'`.as('kind'), 'instance_uuid', 'key', 'value', 'id'])
        .where('instance_uuid', 'in', uuids),
    )
    .unionAll(
      db
        .selectFrom('tags')
        .select([
          sql<string>`'tag'`.as('kind'),
          'resource_id as instance_uuid',
          'tag as key',
          sql<string>`''`.as('value'),
          sql<number>`0`.as('id'),
        ])
        .where('resource_id', 'in', uuids),
    ),
)
// The last of each instance wins in the caller's loop.
const readFaults = byIds((db, uuids) =>
  db.selectFrom('instance_faults').selectAll().where('instance_uuid', 'in', uuids).orderBy('id'),
)

// Only these states show a fault.
const showsFault = (row: InstanceRow): boolean => row.vm_state === 'error' || row.deleted !== 0

/**
 * Adds to freshly read rows what the other tables of the cell hold, with one read per table however many rows: they
 * become the instances, since copying them would cost more than the reads. What is known of an instance already, and
 * has not changed since, is not read again. Instances are shared by all who ask: nobody may change them.
 */
export async function withParts(cell: CellDb, rows: StoredInstance[]): Promise<Instance[]> {
  const instances = rows as (StoredInstance & Instance)[]
  const fresh = instances.filter((instance) => {
    const known = knownOf(cell, instance.uuid)
    const isSame = known !== undefined && isCurrent(known, instance)
    takeParts(instance, isSame ? known.instance : noParts())
    instance.cell = cell
    if (!showsFault(instance)) instance.fault = null
    return !isSame
  })
  if (fresh.length > 0) await readParts(cell, fresh)
  for (const instance of instances) keepKnown(cell, instance, showsFault(instance))
  return instances
}

const isCurrent = ({ id, partsRevision, withFault }: Known, row: StoredInstance): boolean =>
  id === row.id && partsRevision === row.parts_revision && (withFault || !showsFault(row))

type Parts = Omit<Instance, keyof InstanceRow | 'cell'>

const noParts = (): Parts => ({
  flavor: noFlavor,
  keypairs: [],
  trustedCerts: null,
  metadata: {},
  systemMetadata: {},
  tags: [],
  networkInfo: [],
  fault: null,
})

function takeParts(instance: Instance, parts: Parts): void {
  instance.flavor = parts.flavor
  instance.keypairs = parts.keypairs
  instance.trustedCerts = parts.trustedCerts
  instance.metadata = parts.metadata
  instance.systemMetadata = parts.systemMetadata
  instance.tags = parts.tags
  instance.networkInfo = parts.networkInfo
  instance.fault = parts.fault
}

// After the rows: so what is kept with a revision is never older than it, and what is newer is read again.
async function readParts({ db }: CellDb, instances: readonly Instance[]): Promise<void> {
  const byUuid = new Map(instances.map((instance) => [instance.uuid, instance]))
  const uuids = [...byUuid.keys()]
  const failed = instances.filter(showsFault).map(({ uuid }) => uuid)
  const [extras, attributes, faults] = await Promise.all([
    readExtras(db, uuids),
    readAttributes(db, uuids),
    readFaults(db, failed),
  ])
  for (const extra of extras) {
    const instance = byUuid.get(extra.instance_uuid)!
    instance.flavor = parseFlavor(extra.flavor)
    if (extra.keypairs !== '[]') instance.keypairs = JSON.parse(extra.keypairs)
    if (extra.trusted_certs !== null) instance.trustedCerts = JSON.parse(extra.trusted_certs)
    if (extra.network_info !== null && extra.network_info !== '[]')
      instance.networkInfo = JSON.parse(extra.network_info) as NetworkInfo
  }
  attributes.sort((a, b) => a.id - b.id || (a.key < b.key ? -1 : 1))
  for (const { kind, instance_uuid, key, value } of attributes) {
    const instance = byUuid.get(instance_uuid)!
    if (kind === 'metadata') instance.metadata[key] = value
    else if (kind === 'system') instance.systemMetadata[key] = value
    else instance.tags.push(key)
  }
  for (const fault of faults) byUuid.get(fault.instance_uuid)!.fault = fault
  for (const instance of instances) if (instance.flavor === noFlavor) instance.flavor = sizesOf(instance)
}
