/** Address scopes (`/v2.0/address-scopes`). */
import { sql } from 'kysely'
import type { Db } from '../../../base/db/database.ts'
import { newUuid } from '../../../base/ids.ts'
import { conflict, invalid, unknown } from '../../errors.ts'
import { setSharedWithAll, sharedObjects, sharedWith } from '../../store/rbac-policies.ts'
import { newStandard } from '../../store/standard.ts'
import type { AddressScopeRow, Tables } from '../../store/tables.ts'
import type { Work } from '../../work.ts'
import type { Attributes, Values } from '../attributes.ts'
import * as check from '../checks.ts'
import { toBoolean, toInteger } from '../converters.ts'
import type { Resource, ViewContext } from '../resource.ts'
import { idAttribute, nameAttribute, ownerAttributes } from '../standard-attributes.ts'

const attributes: Attributes = {
  ...idAttribute,
  ...nameAttribute,
  ...ownerAttributes,
  shared: { post: true, put: true, default: false, convert: toBoolean, filter: true, policy: true },
  ip_version: {
    post: true,
    required: true,
    convert: toInteger,
    check: check.oneOf(4, 6),
    filter: true,
    sort: true,
  },
}

export function addressScopeResource(): Resource<AddressScopeRow> {
  return {
    name: 'address_scope',
    collection: 'address_scopes',
    path: 'address-scopes',
    table: 'address_scopes',
    objectType: 'address_scope',
    attributes,
    unknown: unknown.addressScope,
    filters: {
      shared: (values, caller) => {
        const shared = sharedWith('address_scopes.id', caller.projectId, ['access_as_shared'])
        return values.map(toBoolean).includes(true) ? shared : sql<boolean>`not (${shared})`
      },
    },
    visible: (caller) => {
      const shared = sharedWith('address_scopes.id', caller.projectId, ['access_as_shared'])
      return sql<boolean>`(address_scopes.project_id = ${caller.projectId} or ${shared})`
    },
    view: viewScopes,
    create: createScope,
    update: updateScope,
    remove: deleteScope,
  }
}

async function viewScopes(
  db: Db<Tables>,
  rows: readonly AddressScopeRow[],
  context: ViewContext,
): Promise<Values[]> {
  const ids = rows.map((row) => row.id)
  const shared = await sharedObjects(db, ids, context.caller.projectId)
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    project_id: row.project_id,
    tenant_id: row.project_id,
    shared: shared.has(row.id),
    ip_version: row.ip_version,
  }))
}

async function createScope(work: Work, values: Values): Promise<string> {
  const id = newUuid()
  const projectId = values['project_id'] as string
  await work.db
    .insertInto('address_scopes')
    .values({
      ...newStandard(work, id, projectId, ''),
      name: values['name'] as string,
      ip_version: values['ip_version'] as number,
    })
    .execute()
  if (values['shared'] === true)
    await setSharedWithAll(work.db, { type: 'address_scope', id, projectId }, 'access_as_shared', true)
  return id
}

async function updateScope(work: Work, row: AddressScopeRow, values: Values): Promise<void> {
  if (values['shared'] !== undefined) {
    const before = (await sharedObjects(work.db, [row.id], null)).has(row.id)
    if (before && values['shared'] === false) {
      throw invalid(
        'AddressScopeUpdateError',
        `Unable to update address scope ${row.id} : Shared address scope can't be unshared.`,
      )
    }
    const object = { type: 'address_scope', id: row.id, projectId: row.project_id }
    await setSharedWithAll(work.db, object, 'access_as_shared', values['shared'] === true)
  }
  if (values['name'] === undefined) return
  await work.db
    .updateTable('address_scopes')
    .set({ name: values['name'] as string })
    .where('id', '=', row.id)
    .execute()
}

async function deleteScope(work: Work, row: AddressScopeRow): Promise<void> {
  const used = await work.db
    .selectFrom('subnetpools')
    .select('id')
    .where('address_scope_id', '=', row.id)
    .executeTakeFirst()
  if (used !== undefined) {
    throw conflict(
      'AddressScopeInUse',
      `Unable to complete operation on address scope ${row.id}. There are one or more subnet pools in use on the address scope.`,
    )
  }
  await work.db.deleteFrom('address_scopes').where('id', '=', row.id).execute()
}
