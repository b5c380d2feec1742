/** Subnet pools (`/v2.0/subnetpools`). */
import { sql } from 'kysely'
import { newUuid } from '../../../base/ids.ts'
import { invalid, invalidInput, unknown } from '../../errors.ts'
import { parseCidr } from '../../ipam/ip.ts'
import { joinPrefixes } from '../../ipam/subnet-pools.ts'
import { setSharedWithAll, sharedWith } from '../../store/rbac-policies.ts'
import { newStandard } from '../../store/standard.ts'
import type { SubnetPoolRow } from '../../store/tables.ts'
import type { Work } from '../../work.ts'
import type { Values } from '../attributes.ts'
import type { Caller } from '../caller.ts'
import { toBoolean } from '../converters.ts'
import type { Resource } from '../resource.ts'
import { assertAloneInScope, assertScope } from './address-scope-of-pool.ts'
import { prefixBounds } from './prefix-bounds.ts'
import { subnetpoolAttributes } from './subnetpool.attributes.ts'
import { viewSubnetPools } from './subnetpool.view.ts'

export function subnetPoolResource(): Resource<SubnetPoolRow> {
  return {
    name: 'subnetpool',
    collection: 'subnetpools',
    path: 'subnetpools',
    table: 'subnetpools',
    objectType: 'subnetpool',
    counted: true,
    standard: true,
    tagged: true,
    attributes: subnetpoolAttributes,
    unknown: unknown.subnetpool,
    filters: {
      shared: (values, caller) => {
        const shared = sharedWith('subnetpools.id', caller.projectId, ['access_as_shared'])
        return values.map(toBoolean).includes(true) ? shared : sql<boolean>`not (${shared})`
      },
    },
    visible: (caller) => {
      const shared = sharedWith('subnetpools.id', caller.projectId, ['access_as_shared'])
      return sql<boolean>`(subnetpools.project_id = ${caller.projectId} or ${shared})`
    },
    view: viewSubnetPools,
    create: createPool,
    update: updatePool,
    remove: deletePool,
  }
}

/** Prefixes of one IP version, joined where they touch. */
export function checkedPrefixes(texts: readonly string[]): { version: 4 | 6; prefixes: string[] } {
  if (texts.length === 0) throw invalid('EmptySubnetPoolPrefixList', 'Empty subnet pool prefix list.')
  const versions = new Set(texts.map((text) => parseCidr(text)!.version))
  if (versions.size > 1)
    throw invalid('PrefixVersionMismatch', 'Cannot mix IPv4 and IPv6 prefixes in a subnet pool.')
  return { version: [...versions][0]!, prefixes: joinPrefixes(texts) }
}

export async function readPrefixes(work: Work, poolId: string): Promise<string[]> {
  const rows = await work.db
    .selectFrom('subnetpoolprefixes')
    .select('cidr')
    .where('subnetpool_id', '=', poolId)
    .execute()
  return rows.map((row) => row.cidr)
}

export async function replacePrefixes(
  work: Work,
  poolId: string,
  prefixes: readonly string[],
): Promise<void> {
  await work.db.deleteFrom('subnetpoolprefixes').where('subnetpool_id', '=', poolId).execute()
  const rows = prefixes.map((cidr) => ({ subnetpool_id: poolId, cidr }))
  if (rows.length > 0) await work.db.insertInto('subnetpoolprefixes').values(rows).execute()
}

async function createPool(work: Work, values: Values, caller: Caller): Promise<string> {
  const id = newUuid()
  const { version, prefixes } = checkedPrefixes(values['prefixes'] as string[])
  const bounds = prefixBounds(version, {
    min: values['min_prefixlen'] as number | undefined,
    max: values['max_prefixlen'] as number | undefined,
    standard: values['default_prefixlen'] as number | undefined,
  })
  const isDefault = values['is_default'] === true
  if (isDefault) await assertNoDefault(work, version)
  const scopeId = (values['address_scope_id'] as string | null | undefined) ?? null
  if (scopeId !== null) await assertScope(work, { id, version, prefixes }, scopeId, caller)
  const projectId = values['project_id'] as string
  await work.db
    .insertInto('subnetpools')
    .values({
      ...newStandard(work, id, projectId, values['description']),
      name: values['name'] as string,
      ip_version: version,
      min_prefixlen: bounds.min,
      max_prefixlen: bounds.max,
      default_prefixlen: bounds.standard,
      default_quota: (values['default_quota'] as number | null | undefined) ?? null,
      address_scope_id: scopeId,
      is_default: Number(isDefault),
    })
    .execute()
  await replacePrefixes(work, id, prefixes)
  if (values['shared'] === true)
    await setSharedWithAll(work.db, { type: 'subnetpool', id, projectId }, 'access_as_shared', true)
  return id
}

async function assertNoDefault(work: Work, version: number): Promise<void> {
  const there = await work.db
    .selectFrom('subnetpools')
    .select('id')
    .where('is_default', '=', 1)
    .where('ip_version', '=', version)
    .executeTakeFirst()
  if (there !== undefined) {
    throw invalidInput(
      'A default subnetpool for this IP family has already been set. Only one default may exist per IP family',
    )
  }
}

async function updatePool(work: Work, row: SubnetPoolRow, values: Values, caller: Caller): Promise<void> {
  const set: Partial<SubnetPoolRow> = {}
  if (values['name'] !== undefined) set.name = values['name'] as string
  if (values['description'] !== undefined) set.description = values['description'] as string
  if (values['default_quota'] !== undefined) set.default_quota = values['default_quota'] as number
  const bounds = prefixBounds(row.ip_version, {
    min: (values['min_prefixlen'] as number | undefined) ?? row.min_prefixlen,
    max: (values['max_prefixlen'] as number | undefined) ?? row.max_prefixlen,
    standard: (values['default_prefixlen'] as number | undefined) ?? row.default_prefixlen,
  })
  set.min_prefixlen = bounds.min
  set.max_prefixlen = bounds.max
  set.default_prefixlen = bounds.standard
  if (values['is_default'] !== undefined) {
    if (values['is_default'] === true && row.is_default === 0) await assertNoDefault(work, row.ip_version)
    set.is_default = Number(values['is_default'])
  }
  const before = await readPrefixes(work, row.id)
  const prefixes = (values['prefixes'] as string[] | undefined) ?? before
  if (values['prefixes'] !== undefined) await growPrefixes(work, row, before, prefixes)
  if (values['address_scope_id'] !== undefined) {
    set.address_scope_id = values['address_scope_id'] as string | null
    if (set.address_scope_id !== null)
      await assertScope(work, { id: row.id, version: row.ip_version, prefixes }, set.address_scope_id, caller)
  }
  await work.db.updateTable('subnetpools').set(set).where('id', '=', row.id).execute()
}

/** A pool's prefixes can only become more: subnets may have been taken out of any of them. */
export async function growPrefixes(
  work: Work,
  row: SubnetPoolRow,
  before: readonly string[],
  wanted: readonly string[],
): Promise<void> {
  const { version, prefixes } = checkedPrefixes(wanted)
  if (version !== row.ip_version)
    throw invalid('PrefixVersionMismatch', 'Cannot mix IPv4 and IPv6 prefixes in a subnet pool.')
  const covered = joinPrefixes([...prefixes, ...before]).join() === prefixes.join()
  if (!covered) {
    throw invalid(
      'IllegalSubnetPoolPrefixUpdate',
      'Illegal update to prefixes: Existing prefixes must be a subset of the new prefixes.',
    )
  }
  if (row.address_scope_id !== null)
    await assertAloneInScope(work, { id: row.id, prefixes }, row.address_scope_id)
  await replacePrefixes(work, row.id, prefixes)
}

async function deletePool(work: Work, row: SubnetPoolRow): Promise<void> {
  const used = await work.db
    .selectFrom('subnets')
    .select('id')
    .where('subnetpool_id', '=', row.id)
    .executeTakeFirst()
  if (used !== undefined) {
    throw invalid(
      'SubnetPoolDeleteError',
      'Unable to delete subnet pool: Subnet pool has existing allocations.',
    )
  }
  await work.db.deleteFrom('subnetpools').where('id', '=', row.id).execute()
}
