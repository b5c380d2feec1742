/** Service profiles (`/v2.0/service_profiles`): how a driver realises a flavor. */
import { newUuid } from '../../../base/ids.ts'
import { conflict, neutronFault, unknown } from '../../errors.ts'
import type { ServiceProfileRow } from '../../store/tables.ts'
import type { Work } from '../../work.ts'
import type { Attributes, Values } from '../attributes.ts'
import * as check from '../checks.ts'
import { toBoolean } from '../converters.ts'
import type { Resource } from '../resource.ts'

const attributes: Attributes = {
  id: { filter: true, sort: true },
  description: { post: true, put: true, default: '', check: check.text(1024), filter: true, sort: true },
  driver: { post: true, put: true, default: '', check: check.text(1024), filter: true, sort: true },
  metainfo: { post: true, put: true, default: '', check: check.text(4096), sort: true },
  enabled: { post: true, put: true, default: true, convert: toBoolean, filter: true, sort: true },
}

export function serviceProfileResource(): Resource<ServiceProfileRow> {
  return {
    name: 'service_profile',
    collection: 'service_profiles',
    path: 'service_profiles',
    table: 'serviceprofiles',
    attributes,
    unknown: unknown.serviceProfile,
    view: async (_db, rows) => rows.map((row) => ({ ...row, enabled: row.enabled === 1 })),
    create: createProfile,
    update: updateProfile,
    remove: deleteProfile,
  }
}

async function createProfile(work: Work, values: Values): Promise<string> {
  const { driver, metainfo } = values
  if (driver === '' && metainfo === '') {
    throw neutronFault('invalid', 'ServiceProfileEmpty', 'Service Profile needs either a driver or metainfo.')
  }
  // There are no drivers of advanced services to name.
  if (driver !== '') {
    throw neutronFault(
      'not-found',
      'ServiceProfileDriverNotFound',
      `Service Profile driver ${String(driver)} could not be found.`,
    )
  }
  const id = newUuid()
  await work.db
    .insertInto('serviceprofiles')
    .values({
      id,
      description: values['description'] as string,
      driver: '',
      metainfo: metainfo as string,
      enabled: Number(values['enabled']),
    })
    .execute()
  return id
}

async function assertUnused(work: Work, row: ServiceProfileRow): Promise<void> {
  const used = await work.db
    .selectFrom('flavorserviceprofilebindings')
    .select('flavor_id')
    .where('service_profile_id', '=', row.id)
    .executeTakeFirst()
  if (used !== undefined)
    throw conflict('ServiceProfileInUse', `Service Profile ${row.id} is used by some service instance.`)
}

async function updateProfile(work: Work, row: ServiceProfileRow, values: Values): Promise<void> {
  await assertUnused(work, row)
  const set: Partial<ServiceProfileRow> = {}
  if (values['description'] !== undefined) set.description = values['description'] as string
  if (values['metainfo'] !== undefined) set.metainfo = values['metainfo'] as string
  if (values['enabled'] !== undefined) set.enabled = Number(values['enabled'])
  if (Object.keys(set).length > 0)
    await work.db.updateTable('serviceprofiles').set(set).where('id', '=', row.id).execute()
}

async function deleteProfile(work: Work, row: ServiceProfileRow): Promise<void> {
  await assertUnused(work, row)
  await work.db.deleteFrom('serviceprofiles').where('id', '=', row.id).execute()
}
