/** Security groups (`/v2.0/security-groups`). */
import { sql } from 'kysely'
import type { Db } from '../../../base/db/database.ts'
import { conflict, unknown } from '../../errors.ts'
import { sharedObjects, sharedWith } from '../../store/rbac-policies.ts'
import { ensureDefaultGroup, findDefaultGroup, insertGroup, rulesOf } from '../../store/security-groups.ts'
import { viewStandard } from '../../store/standard.ts'
import type { SecurityGroupRow, Tables } from '../../store/tables.ts'
import { tagsOf } from '../../store/tags.ts'
import { inWork, type Work } from '../../work.ts'
import type { Attributes, Values } from '../attributes.ts'
import type { Caller } from '../caller.ts'
import * as check from '../checks.ts'
import { toBoolean } from '../converters.ts'
import { type ApiDeps, isAsked, type Resource, type ViewContext } from '../resource.ts'
import { viewRules } from '../security-group-rules/rule.view.ts'
import { idAttribute, ownerAttributes, standardAttributes, tagsAttribute } from '../standard-attributes.ts'

const attributes: Attributes = {
  ...idAttribute,
  name: {
    post: true,
    put: true,
    default: '',
    check: check.all(check.text(255), notDefault),
    filter: true,
    sort: true,
  },
  stateful: {
    post: true,
    put: true,
    default: true,
    convert: toBoolean,
    filter: true,
    extension: 'stateful-security-group',
  },
  ...ownerAttributes,
  security_group_rules: {},
  shared: { filter: true, convert: toBoolean, extension: 'security-groups-shared-filtering' },
  ...standardAttributes,
  ...tagsAttribute,
}

function notDefault(name: unknown): undefined {
  if (String(name).toLowerCase() === 'default')
    throw conflict('SecurityGroupDefaultAlreadyExists', 'Default security group already exists.')
}

export function securityGroupResource(): Resource<SecurityGroupRow> {
  return {
    name: 'security_group',
    collection: 'security_groups',
    path: 'security-groups',
    table: 'securitygroups',
    objectType: 'security_group',
    counted: true,
    standard: true,
    tagged: true,
    attributes,
    unknown: unknown.securityGroup,
    filters: {
      shared: (values, caller) => {
        const shared = sharedWith('securitygroups.id', caller.projectId, ['access_as_shared'])
        return values.map(toBoolean).includes(true) ? shared : sql<boolean>`not (${shared})`
      },
    },
    visible: (caller) => {
      const shared = sharedWith('securitygroups.id', caller.projectId, ['access_as_shared'])
      return sql<boolean>`(securitygroups.project_id = ${caller.projectId} or ${shared})`
    },
    beforeList: makeDefaultGroup,
    view: viewGroups,
    create: (work, values) =>
      insertGroup(work, {
        projectId: values['project_id'] as string,
        name: values['name'] as string,
        description: values['description'] as string,
        stateful: values['stateful'] as boolean,
        openWithin: false,
      }),
    update: updateGroup,
    remove: deleteGroup,
  }
}

/** Every project has a default group as soon as somebody looks for it. */
export async function makeDefaultGroup(
  deps: ApiDeps,
  caller: Caller,
  filters: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const named = caller.admin ? filters['project_id']?.[0] : undefined
  const projectId = named ?? caller.projectId
  if (projectId === null || projectId === '') return
  if ((await findDefaultGroup(deps.db, projectId)) !== undefined) return
  await inWork(deps, (work) => ensureDefaultGroup(work, projectId))
}

async function viewGroups(
  db: Db<Tables>,
  rows: readonly SecurityGroupRow[],
  context: ViewContext,
): Promise<Values[]> {
  const ids = rows.map((row) => row.id)
  const idsFor = (name: string) => (isAsked(context, name) ? ids : [])
  const rules = await rulesOf(db, idsFor('security_group_rules'))
  const tags = await tagsOf(db, idsFor('tags'))
  const shared = await sharedObjects(db, idsFor('shared'), context.caller.projectId)
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    stateful: row.stateful === 1,
    ...viewStandard(row),
    security_group_rules: viewRules(rules.get(row.id) ?? []),
    shared: shared.has(row.id),
    tags: tags.get(row.id) ?? [],
  }))
}

async function isDefault(work: Work, row: SecurityGroupRow): Promise<boolean> {
  return (await findDefaultGroup(work.db, row.project_id)) === row.id
}

async function updateGroup(work: Work, row: SecurityGroupRow, values: Values): Promise<void> {
  if (values['name'] !== undefined && (await isDefault(work, row)))
    throw conflict('SecurityGroupCannotUpdateDefault', 'Updating default security group not allowed.')
  const set: Partial<SecurityGroupRow> = {}
  if (values['name'] !== undefined) {
    set.name = values['name'] as string
    work.changes.views = true
  }
  if (values['description'] !== undefined) set.description = values['description'] as string
  if (values['stateful'] !== undefined) {
    set.stateful = Number(values['stateful'])
    if (set.stateful !== row.stateful) await assertUnused(work, row)
  }
  if (Object.keys(set).length > 0)
    await work.db.updateTable('securitygroups').set(set).where('id', '=', row.id).execute()
}

async function assertUnused(work: Work, row: SecurityGroupRow): Promise<void> {
  const used = await work.db
    .selectFrom('securitygroupportbindings')
    .select('port_id')
    .where('security_group_id', '=', row.id)
    .executeTakeFirst()
  if (used !== undefined) throw conflict('SecurityGroupInUse', `Security Group ${row.id} in use.`)
}

async function deleteGroup(work: Work, row: SecurityGroupRow, caller: Caller): Promise<void> {
  // Who makes a rule that names the group waits until this transaction ended.
  await work.db.selectFrom('securitygroups').select('id').where('id', '=', row.id).forUpdate().execute()
  await assertUnused(work, row)
  if (!caller.admin && (await isDefault(work, row))) {
    throw conflict(
      'SecurityGroupCannotRemoveDefault',
      'Insufficient rights for removing default security group.',
    )
  }
  const referring = await work.db
    .selectFrom('securitygrouprules')
    .select('security_group_id')
    .where('remote_group_id', '=', row.id)
    .execute()
  for (const rule of referring) work.changes.groups.add(rule.security_group_id)
  await work.db.deleteFrom('securitygroups').where('id', '=', row.id).execute()
}
