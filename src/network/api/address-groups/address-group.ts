/** Address groups (`/v2.0/address-groups`): lists of addresses that security group rules name. */
import { sql } from 'kysely'
import type { Db } from '../../../base/db/database.ts'
import { python } from '../../../base/http/validate.ts'
import { newUuid } from '../../../base/ids.ts'
import { badRequest, conflict, invalid, invalidInput, neutronFault, unknown } from '../../errors.ts'
import { formatCidr, parseCidr } from '../../ipam/ip.ts'
import { sharedWith } from '../../store/rbac-policies.ts'
import { groupBy, inSlices } from '../../store/slices.ts'
import { newStandard, touch, viewStandard } from '../../store/standard.ts'
import type { AddressGroupRow, Tables } from '../../store/tables.ts'
import type { Work } from '../../work.ts'
import type { ResourceAction } from '../actions.ts'
import type { Attributes, Values } from '../attributes.ts'
import * as check from '../checks.ts'
import { nullToList } from '../converters.ts'
import type { Resource } from '../resource.ts'
import { idAttribute, nameAttribute, ownerAttributes, standardAttributes } from '../standard-attributes.ts'

const addressList = check.listOf(check.subnet)

const attributes: Attributes = {
  ...idAttribute,
  ...nameAttribute,
  ...ownerAttributes,
  addresses: { post: true, convert: nullToList, check: addressList },
  ...standardAttributes,
}

export function addressGroupResource(): Resource<AddressGroupRow> {
  return {
    name: 'address_group',
    collection: 'address_groups',
    path: 'address-groups',
    table: 'address_groups',
    objectType: 'address_group',
    standard: true,
    attributes,
    unknown: unknown.addressGroup,
    visible: (caller) => {
      const shared = sharedWith('address_groups.id', caller.projectId, ['access_as_shared'])
      return sql<boolean>`(address_groups.project_id = ${caller.projectId} or ${shared})`
    },
    view: viewGroups,
    facts: async (db, groups, caller) => {
      const ids = groups.flatMap((group) => (group['id'] as string | undefined) ?? [])
      const found = await inSlices(ids, (slice) =>
        db
          .selectFrom('address_groups')
          .select('id')
          .where('id', 'in', slice)
          .where(sharedWith('address_groups.id', caller.projectId, ['access_as_shared']))
          .execute(),
      )
      const shared = new Set(found.map((row) => row.id))
      return groups.map((group) => ({ shared: shared.has(group['id'] as string) }))
    },
    create: createGroup,
    update: updateGroup,
    remove: deleteGroup,
  }
}

async function viewGroups(db: Db<Tables>, rows: readonly AddressGroupRow[]): Promise<Values[]> {
  const ids = rows.map((row) => row.id)
  const addresses = groupBy(
    await inSlices(ids, (slice) =>
      db.selectFrom('address_associations').selectAll().where('address_group_id', 'in', slice).execute(),
    ),
    (row) => row.address_group_id,
  )
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    ...viewStandard(row),
    addresses: (addresses.get(row.id) ?? []).map((each) => each.address),
  }))
}

const normal = (texts: readonly string[]): string[] => [
  ...new Set(texts.map((text) => formatCidr(parseCidr(text)!))),
]

async function createGroup(work: Work, values: Values): Promise<string> {
  const id = newUuid()
  await work.db
    .insertInto('address_groups')
    .values({
      ...newStandard(work, id, values['project_id'] as string, values['description']),
      name: values['name'] as string,
    })
    .execute()
  await insertAddresses(work, id, normal((values['addresses'] as string[] | undefined) ?? []))
  return id
}

async function insertAddresses(work: Work, id: string, addresses: readonly string[]): Promise<void> {
  const rows = addresses.map((address) => ({ address_group_id: id, address }))
  if (rows.length > 0) await work.db.insertInto('address_associations').values(rows).execute()
}

async function updateGroup(work: Work, row: AddressGroupRow, values: Values): Promise<void> {
  const set: Partial<AddressGroupRow> = {}
  if (values['name'] !== undefined) set.name = values['name'] as string
  if (values['description'] !== undefined) set.description = values['description'] as string
  if (Object.keys(set).length > 0)
    await work.db.updateTable('address_groups').set(set).where('id', '=', row.id).execute()
}

// Who makes a rule that names the group reads its row first, and waits there.
async function usersOf(work: Work, id: string): Promise<string[]> {
  await work.db.selectFrom('address_groups').select('id').where('id', '=', id).forUpdate().execute()
  const rows = await work.db
    .selectFrom('securitygrouprules')
    .select('security_group_id')
    .where('remote_address_group_id', '=', id)
    .execute()
  return rows.map((row) => row.security_group_id)
}

async function deleteGroup(work: Work, row: AddressGroupRow): Promise<void> {
  if ((await usersOf(work, row.id)).length > 0) {
    throw conflict(
      'AddressGroupInUse',
      `Address group ${row.id} is in use on one or more security group rules.`,
    )
  }
  await work.db.deleteFrom('address_groups').where('id', '=', row.id).execute()
}

async function readChange(
  work: Work,
  row: AddressGroupRow,
  body: unknown,
): Promise<{ there: string[]; absent: string[] }> {
  const sent = (body as { addresses?: unknown } | undefined)?.addresses
  if (sent === undefined) throw badRequest("Unable to find 'addresses' in request body")
  const reason = addressList(sent)
  if (reason !== undefined) throw invalidInput(reason)
  const rows = await work.db
    .selectFrom('address_associations')
    .select('address')
    .where('address_group_id', '=', row.id)
    .execute()
  const known = new Set(rows.map((each) => each.address))
  const addresses = normal(sent as string[])
  return {
    there: addresses.filter((address) => known.has(address)),
    absent: addresses.filter((address) => !known.has(address)),
  }
}

async function changed(work: Work, row: AddressGroupRow): Promise<void> {
  await touch(work, 'address_groups', row.id)
  for (const group of await usersOf(work, row.id)) work.changes.groups.add(group)
}

const reply = (view: Values) => ({ address_group: view })

export const addAddresses: ResourceAction = {
  name: 'add_addresses',
  async run(work, row: AddressGroupRow, body) {
    const { there, absent } = await readChange(work, row, body)
    if (there.length > 0) {
      throw invalid(
        'AddressesAlreadyExist',
        `Addresses ${python(there)} already exist in the address group ${row.id}.`,
      )
    }
    await insertAddresses(work, row.id, absent)
    await changed(work, row)
  },
  reply,
}

export const removeAddresses: ResourceAction = {
  name: 'remove_addresses',
  async run(work, row: AddressGroupRow, body) {
    const { there, absent } = await readChange(work, row, body)
    if (absent.length > 0) {
      throw neutronFault(
        'not-found',
        'AddressesNotFound',
        `Addresses ${python(absent)} not found in the address group ${row.id}.`,
      )
    }
    if (there.length > 0) {
      await work.db
        .deleteFrom('address_associations')
        .where('address_group_id', '=', row.id)
        .where('address', 'in', there)
        .execute()
    }
    await changed(work, row)
  },
  reply,
}
