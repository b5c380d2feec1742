/** Flavors of advanced services (`/v2.0/flavors`). No service that has flavors is built in. */
import type { Db } from '../../../base/db/database.ts'
import { newUuid } from '../../../base/ids.ts'
import { unknown } from '../../errors.ts'
import { groupBy, inSlices } from '../../store/slices.ts'
import type { FlavorRow, Tables } from '../../store/tables.ts'
import type { Work } from '../../work.ts'
import type { Attributes, Values } from '../attributes.ts'
import * as check from '../checks.ts'
import { toBoolean } from '../converters.ts'
import type { Resource } from '../resource.ts'

const attributes: Attributes = {
  id: { filter: true, sort: true },
  name: { post: true, put: true, default: '', check: check.text(255), filter: true, sort: true },
  description: { post: true, put: true, default: '', check: check.text(1024), filter: true, sort: true },
  service_type: { post: true, required: true, check: check.filledText(255), filter: true, sort: true },
  service_profiles: { post: true, put: true, default: [], check: check.listOf(check.uuid) },
  enabled: { post: true, put: true, default: true, convert: toBoolean, filter: true, sort: true },
}

export function flavorResource(): Resource<FlavorRow> {
  return {
    name: 'flavor',
    collection: 'flavors',
    path: 'flavors',
    table: 'flavors',
    attributes,
    unknown: unknown.flavor,
    view: viewFlavors,
    create: createFlavor,
    update: updateFlavor,
    remove: async (work, row) => {
      await work.db.deleteFrom('flavors').where('id', '=', row.id).execute()
    },
  }
}

async function viewFlavors(db: Db<Tables>, rows: readonly FlavorRow[]): Promise<Values[]> {
  const profiles = groupBy(
    await inSlices(
      rows.map((row) => row.id),
      (slice) =>
        db.selectFrom('flavorserviceprofilebindings').selectAll().where('flavor_id', 'in', slice).execute(),
    ),
    (row) => row.flavor_id,
  )
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    service_type: row.service_type,
    enabled: row.enabled === 1,
    service_profiles: (profiles.get(row.id) ?? []).map((binding) => binding.service_profile_id),
  }))
}

async function createFlavor(work: Work, values: Values): Promise<string> {
  const id = newUuid()
  await work.db
    .insertInto('flavors')
    .values({
      id,
      name: values['name'] as string,
      description: values['description'] as string,
      service_type: values['service_type'] as string,
      enabled: Number(values['enabled']),
    })
    .execute()
  await bindProfiles(work, id, values['service_profiles'] as string[])
  return id
}

async function bindProfiles(work: Work, flavorId: string, profileIds: readonly string[]): Promise<void> {
  for (const id of profileIds) {
    const there = work.db.selectFrom('serviceprofiles').select('id').where('id', '=', id)
    if ((await there.executeTakeFirst()) === undefined) throw unknown.serviceProfile(id)
    const row = { flavor_id: flavorId, service_profile_id: id }
    await work.db.insertInto('flavorserviceprofilebindings').values(row).execute()
  }
}

async function updateFlavor(work: Work, row: FlavorRow, values: Values): Promise<void> {
  const set: Partial<FlavorRow> = {}
  if (values['name'] !== undefined) set.name = values['name'] as string
  if (values['description'] !== undefined) set.description = values['description'] as string
  if (values['enabled'] !== undefined) set.enabled = Number(values['enabled'])
  if (Object.keys(set).length > 0)
    await work.db.updateTable('flavors').set(set).where('id', '=', row.id).execute()
  if (values['service_profiles'] === undefined) return
  await work.db.deleteFrom('flavorserviceprofilebindings').where('flavor_id', '=', row.id).execute()
  await bindProfiles(work, row.id, values['service_profiles'] as string[])
}
