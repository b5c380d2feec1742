import { Type } from 'typebox'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { newUuid } from '../../../base/ids.ts'
import {
  addFlavorProject,
  deleteFlavor,
  type Flavor,
  getFlavor,
  insertFlavor,
  listFlavorProjects,
  removeFlavorProject,
  updateFlavorDescription,
} from '../../store/flavors.ts'
import type { ApiDbDeps, ProjectDeps } from '../deps.ts'
import { isTrue, wrapped } from '../schema-types.ts'
import { type CreateFlavorBody, createFlavorBody, flavorViewer, updateFlavorBody } from './flavor.ts'
import { flavorsQuery, listBriefly, listInDetail } from './list-flavors.ts'

const Tenant = Type.Object(
  { tenant: Type.Union([Type.String({ minLength: 1, maxLength: 255 }), Type.Integer({ minimum: 1 })]) },
  { additionalProperties: false },
)
interface AccessBody {
  addTenantAccess: { tenant: string | number }
  removeTenantAccess: { tenant: string | number }
}

export const flavorRoutes: readonly Route<ProjectDeps>[] = [
  { get: '/flavors', policy: 'authenticated', query: flavorsQuery, handler: listBriefly },
  { get: '/flavors/detail', policy: 'authenticated', query: flavorsQuery, handler: listInDetail },
  { get: '/flavors/:id', policy: 'authenticated', handler: showFlavor },
  {
    post: '/flavors',
    policy: 'os_compute_api:os-flavor-manage:create',
    body: createFlavorBody,
    handler: createFlavor,
  },
  {
    put: '/flavors/:id',
    since: '2.55',
    policy: 'os_compute_api:os-flavor-manage:update',
    body: updateFlavorBody,
    handler: updateFlavor,
  },
  {
    delete: '/flavors/:id',
    policy: 'os_compute_api:os-flavor-manage:delete',
    status: 202,
    handler: (request, deps) => deleteFlavor(deps.apiDb, request.params['id']!),
  },
  {
    get: '/flavors/:id/os-flavor-access',
    policy: 'os_compute_api:os-flavor-access',
    handler: listAccess,
  },
  {
    post: '/flavors/:id/action',
    action: 'addTenantAccess',
    policy: 'os_compute_api:os-flavor-access:add_tenant_access',
    body: wrapped('addTenantAccess', Tenant),
    handler: addAccess,
  },
  {
    post: '/flavors/:id/action',
    action: 'removeTenantAccess',
    policy: 'os_compute_api:os-flavor-access:remove_tenant_access',
    body: wrapped('removeTenantAccess', Tenant),
    handler: removeAccess,
  },
]

/** A flavor that the caller may see: private ones are hidden from projects without access. */
export async function visibleFlavor(request: ApiRequest<never>, deps: ApiDbDeps): Promise<Flavor> {
  const everything = request.can('context_is_admin')
  return await getFlavor(
    deps.apiDb,
    request.params['id']!,
    everything ? undefined : request.context.projectId,
  )
}

async function showFlavor(request: ApiRequest<never>, deps: ApiDbDeps) {
  return { flavor: flavorViewer(request).whole(await visibleFlavor(request, deps)) }
}

async function createFlavor(request: ApiRequest<CreateFlavorBody>, deps: ApiDbDeps) {
  const asked = request.body.flavor
  const flavor = await insertFlavor(deps.apiDb, {
    flavorid: asked.id === undefined || asked.id === null ? newUuid() : String(asked.id),
    name: asked.name,
    memory_mb: Number(asked.ram),
    vcpus: Number(asked.vcpus),
    root_gb: Number(asked.disk),
    ephemeral_gb: Number(asked['OS-FLV-EXT-DATA:ephemeral'] ?? 0),
    swap: Number(asked.swap ?? 0),
    rxtx_factor: Number(asked.rxtx_factor ?? 1),
    is_public: isTrue(asked['os-flavor-access:is_public'] ?? true) ? 1 : 0,
    description: asked.description ?? null,
  })
  return { flavor: flavorViewer(request as ApiRequest<never>).whole(flavor) }
}

async function updateFlavor(
  request: ApiRequest<{ flavor: { description: string | null } }>,
  deps: ApiDbDeps,
) {
  const { description } = request.body.flavor
  const flavor = await updateFlavorDescription(deps.apiDb, request.params['id']!, description)
  return { flavor: flavorViewer(request as ApiRequest<never>).whole(flavor) }
}

async function listAccess(request: ApiRequest<never>, deps: ApiDbDeps) {
  const flavor = await getFlavor(deps.apiDb, request.params['id']!)
  if (flavor.is_public === 1) throw new Fault('not-found', 'Access list not available for public flavors.')
  return await accessView(deps, flavor)
}

async function accessView(deps: ApiDbDeps, flavor: Flavor) {
  const projects = await listFlavorProjects(deps.apiDb, flavor)
  return { flavor_access: projects.map((tenant_id) => ({ flavor_id: flavor.flavorid, tenant_id })) }
}

async function addAccess(request: ApiRequest<AccessBody>, deps: ProjectDeps) {
  const tenant = String(request.body.addTenantAccess.tenant)
  await assertProject(request as ApiRequest<never>, deps, tenant)
  const flavor = await getFlavor(deps.apiDb, request.params['id']!)
  if (request.atLeast('2.7') && flavor.is_public === 1) {
    throw new Fault('conflict', 'Can not add access to a public flavor.')
  }
  await addFlavorProject(deps.apiDb, flavor, tenant)
  return await accessView(deps, flavor)
}

// Whether the project is there is not asked: access of one that is gone must be removable.
async function removeAccess(request: ApiRequest<AccessBody>, deps: ApiDbDeps) {
  const flavor = await getFlavor(deps.apiDb, request.params['id']!)
  await removeFlavorProject(deps.apiDb, flavor, String(request.body.removeTenantAccess.tenant))
  return await accessView(deps, flavor)
}

/** Throws `invalid` for a project that Identity does not know. */
export async function assertProject(
  request: ApiRequest<never>,
  deps: ProjectDeps,
  projectId: string,
): Promise<void> {
  const there = await deps.identity.projectExists(projectId, request.context.token)
  if (there === false) throw new Fault('invalid', `Project ID ${projectId} is not a valid project.`)
}
