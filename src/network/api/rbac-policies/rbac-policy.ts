/** RBAC policies (`/v2.0/rbac-policies`): share one thing with one project, or with all. */
import { sql } from 'kysely'
import { python } from '../../../base/http/validate.ts'
import { conflict, invalidInput, neutronFault, unknown } from '../../errors.ts'
import { addRbacPolicy } from '../../store/rbac-policies.ts'
import type { RbacPolicyRow } from '../../store/tables.ts'
import type { Work } from '../../work.ts'
import type { Attributes, Values } from '../attributes.ts'
import type { Caller } from '../caller.ts'
import * as check from '../checks.ts'
import type { Resource } from '../resource.ts'
import { idAttribute, ownerAttributes } from '../standard-attributes.ts'
import { assertNotNeeded } from './in-use.ts'

const attributes: Attributes = {
  ...idAttribute,
  object_type: { post: true, required: true, convert: toObjectType, filter: true, sort: true },
  object_id: { post: true, required: true, check: check.uuid, filter: true, sort: true },
  target_tenant: {
    post: true,
    put: true,
    required: true,
    check: check.filledText(255),
    filter: true,
    sort: true,
    policy: true,
  },
  action: { post: true, required: true, check: check.text(255), filter: true, sort: true },
  ...ownerAttributes,
}

/** What can be shared, where it is kept, and what others may be let do with it. */
const objectTypes = {
  network: {
    table: 'networks',
    actions: ['access_as_shared', 'access_as_external'],
    unknown: unknown.network,
  },
  security_group: { table: 'securitygroups', actions: ['access_as_shared'], unknown: unknown.securityGroup },
  subnetpool: { table: 'subnetpools', actions: ['access_as_shared'], unknown: unknown.subnetpool },
  address_scope: { table: 'address_scopes', actions: ['access_as_shared'], unknown: unknown.addressScope },
  address_group: { table: 'address_groups', actions: ['access_as_shared'], unknown: unknown.addressGroup },
} as const

type ObjectType = keyof typeof objectTypes

function toObjectType(value: unknown): unknown {
  if (typeof value === 'string' && value in objectTypes) return value
  throw invalidInput(
    `'${String(value)}' is not a valid RBAC object type. Supported types: ${Object.keys(objectTypes).join(', ')}`,
  )
}

export function rbacPolicyResource(): Resource<RbacPolicyRow> {
  return {
    name: 'rbac_policy',
    collection: 'rbac_policies',
    path: 'rbac-policies',
    table: 'rbac_policies',
    counted: true,
    attributes,
    columns: { target_tenant: 'target_project' },
    unknown: unknown.rbacPolicy,
    visible: (caller) => sql<boolean>`rbac_policies.project_id = ${caller.projectId}`,
    view: async (_db, rows) => rows.map(viewPolicy),
    create: createPolicy,
    update: updatePolicy,
    remove: (work, row) => assertNotNeeded(work, row).then(() => deletePolicy(work, row)),
  }
}

const viewPolicy = (row: RbacPolicyRow): Values => ({
  id: row.id,
  project_id: row.project_id,
  tenant_id: row.project_id,
  object_type: row.object_type,
  object_id: row.object_id,
  action: row.action,
  target_tenant: row.target_project,
})

async function createPolicy(work: Work, values: Values, caller: Caller): Promise<string> {
  const type = values['object_type'] as ObjectType
  const objectId = values['object_id'] as string
  const action = values['action'] as string
  const { table, actions, unknown: notThere } = objectTypes[type]
  if (!(actions as readonly string[]).includes(action)) {
    throw invalidInput(
      `Invalid action '${action}' for object type '${type}'. Valid actions: ${python(actions)}`,
    )
  }
  const found = await sql<{ project_id: string }>`
    select project_id from ${sql.table(table)} where id = ${objectId}`.execute(work.db)
  const [object] = found.rows
  if (object === undefined) throw notThere(objectId)
  if (!caller.admin && object.project_id !== caller.projectId)
    throw invalidInput('Only admins can manipulate policies on objects they do not own')
  const target = values['target_tenant'] as string
  await assertNew(work, objectId, action, target)
  work.changes.views = true
  const id = await addRbacPolicy(work.db, {
    project_id: values['project_id'] as string,
    object_type: type,
    object_id: objectId,
    action,
    target_project: target,
  })
  // A network that some project may use to get outside is external.
  if (action === 'access_as_external')
    await work.db.updateTable('networks').set({ is_external: 1 }).where('id', '=', objectId).execute()
  return id
}

async function assertNew(work: Work, objectId: string, action: string, target: string): Promise<void> {
  const there = await work.db
    .selectFrom('rbac_policies')
    .select('id')
    .where('object_id', '=', objectId)
    .where('action', '=', action)
    .where('target_project', '=', target)
    .executeTakeFirst()
  if (there !== undefined)
    throw conflict('DuplicateRbacPolicy', 'An RBAC policy already exists with those values.')
}

async function updatePolicy(work: Work, row: RbacPolicyRow, values: Values): Promise<void> {
  const target = values['target_tenant'] as string | undefined
  if (target === undefined || target === row.target_project) return
  if (target !== '*') await assertNotNeeded(work, row, target)
  await assertNew(work, row.object_id, row.action, target)
  work.changes.views = true
  await work.db
    .updateTable('rbac_policies')
    .set({ target_project: target })
    .where('id', '=', row.id)
    .execute()
}

async function deletePolicy(work: Work, row: RbacPolicyRow): Promise<void> {
  work.changes.views = true
  const gone = await work.db.deleteFrom('rbac_policies').where('id', '=', row.id).executeTakeFirst()
  if (gone.numDeletedRows === 0n)
    throw neutronFault('not-found', 'RbacPolicyNotFound', unknown.rbacPolicy(row.id).message)
}
