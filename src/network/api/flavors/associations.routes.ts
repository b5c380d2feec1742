/** Which profiles a flavor has: `/v2.0/flavors/{id}/service_profiles`, and the providers it leads to. */
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { badRequest, conflict, neutronFault, unknown } from '../../errors.ts'
import { inWork } from '../../work.ts'
import type { ApiDeps } from '../resource.ts'

const profiles = '/v2.0/flavors/:id/service_profiles'

export const flavorAssociationRoutes: readonly Route<ApiDeps>[] = [
  { post: profiles, policy: 'create_flavor_service_profile', status: 201, handler: associate },
  { delete: `${profiles}/:profile`, policy: 'delete_flavor_service_profile', handler: dissociate },
  {
    get: '/v2.0/flavors/:id/next_providers',
    policy: 'get_flavor',
    handler: async (request, deps) => {
      await assertFlavor(deps, request.params['id']!)
      return { next_providers: [] }
    },
  },
]

async function assertFlavor(deps: ApiDeps, id: string): Promise<void> {
  const there = await deps.db.selectFrom('flavors').select('id').where('id', '=', id).executeTakeFirst()
  if (there === undefined) throw unknown.flavor(id)
}

async function associate(request: ApiRequest, deps: ApiDeps): Promise<unknown> {
  const flavorId = request.params['id']!
  const sent = (request.body as { service_profile?: { id?: unknown } } | undefined)?.service_profile
  const profileId = sent?.id
  if (typeof profileId !== 'string') throw badRequest("Unable to find 'service_profile' in request body")
  await assertFlavor(deps, flavorId)
  await inWork(deps, async (work) => {
    const profile = work.db.selectFrom('serviceprofiles').select('id').where('id', '=', profileId)
    if ((await profile.executeTakeFirst()) === undefined) throw unknown.serviceProfile(profileId)
    const there = await work.db
      .selectFrom('flavorserviceprofilebindings')
      .select('flavor_id')
      .where('flavor_id', '=', flavorId)
      .where('service_profile_id', '=', profileId)
      .executeTakeFirst()
    if (there !== undefined) {
      throw conflict(
        'FlavorServiceProfileBindingExists',
        `Service Profile ${profileId} is already associated with flavor ${flavorId}.`,
      )
    }
    const row = { flavor_id: flavorId, service_profile_id: profileId }
    await work.db.insertInto('flavorserviceprofilebindings').values(row).execute()
  })
  return { service_profile: { id: profileId } }
}

async function dissociate(request: ApiRequest, deps: ApiDeps): Promise<undefined> {
  const { id, profile } = request.params
  const gone = await deps.db
    .deleteFrom('flavorserviceprofilebindings')
    .where('flavor_id', '=', id!)
    .where('service_profile_id', '=', profile!)
    .executeTakeFirst()
  if (gone.numDeletedRows === 0n) {
    throw neutronFault(
      'not-found',
      'FlavorServiceProfileBindingNotFound',
      `Service Profile ${profile} is not associated with flavor ${id}.`,
    )
  }
}
