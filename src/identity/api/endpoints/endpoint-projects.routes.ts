/** Endpoints and endpoint groups named for projects, whose catalogs then show those only. */
import { Fault } from '#base/errors.ts'
import { type EndpointRow, getEndpoint } from '../../store/catalog.ts'
import {
  endpointsOfGroup,
  endpointsOfProject,
  getEndpointGroup,
  linkToProject,
  listEndpointGroups,
  projectsOf,
  unlinkFromProject,
} from '../../store/endpoint-filters.ts'
import { getProject, listProjects } from '../../store/projects.ts'
import { collection } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { projectViews } from '../projects/projects.routes.ts'
import { endpointGroupView } from './endpoint-groups.routes.ts'
import { endpointView } from './endpoints.routes.ts'

const prefix = '/v3/OS-EP-FILTER'
const endpointOfProject = `${prefix}/projects/:project_id/endpoints/:endpoint_id`
const groupOfProject = `${prefix}/endpoint_groups/:endpoint_group_id/projects/:project_id`

/** The project of the path with the endpoint or group that it names, all of them there. */
async function linked(request: IdentityRequest, deps: IdentityDeps) {
  const { endpoint_id, endpoint_group_id, project_id } = request.params
  const link =
    endpoint_id === undefined
      ? { endpointGroupId: (await getEndpointGroup(deps.db, endpoint_group_id!)).id }
      : { endpointId: (await getEndpoint(deps.db, endpoint_id)).id }
  return { link, project: await getProject(deps.db, project_id!) }
}

const notNamed = (request: IdentityRequest): Fault => {
  const { endpoint_id, endpoint_group_id, project_id } = request.params
  return new Fault(
    'not-found',
    `Could not find: ${endpoint_id ?? endpoint_group_id} is not associated with project ${project_id}.`,
  )
}

async function check(request: IdentityRequest, deps: IdentityDeps) {
  const found = await linked(request, deps)
  if (!(await projectsOf(deps.db, found.link)).includes(found.project.id)) throw notNamed(request)
  return found
}

async function add(request: IdentityRequest, deps: IdentityDeps): Promise<void> {
  const { link, project } = await linked(request, deps)
  await linkToProject(deps.db, link, project.id)
}

async function remove(request: IdentityRequest, deps: IdentityDeps): Promise<void> {
  const { link, project } = await linked(request, deps)
  if (!(await unlinkFromProject(deps.db, link, project.id))) throw notNamed(request)
}

async function showProjects(request: IdentityRequest, deps: IdentityDeps, ids: readonly string[]) {
  const rows = await listProjects(deps.db, { ids })
  return collection(request, 'projects', await projectViews(request, deps, rows))
}

const showEndpoints = (request: IdentityRequest, rows: readonly EndpointRow[]) =>
  collection(
    request,
    'endpoints',
    rows.map((row) => endpointView(request.origin, row)),
  )

export const endpointProjectRoutes: readonly IdentityRoute[] = [
  { put: endpointOfProject, rule: 'identity:add_endpoint_to_project', handler: add },
  {
    get: endpointOfProject,
    rule: 'identity:check_endpoint_in_project',
    async handler(request, deps) {
      await check(request, deps)
    },
  },
  { delete: endpointOfProject, rule: 'identity:remove_endpoint_from_project', handler: remove },
  {
    get: `${prefix}/endpoints/:endpoint_id/projects`,
    rule: 'identity:list_projects_for_endpoint',
    async handler(request, deps) {
      const { id } = await getEndpoint(deps.db, request.params['endpoint_id']!)
      return showProjects(request, deps, await projectsOf(deps.db, { endpointId: id }))
    },
  },
  {
    get: `${prefix}/projects/:project_id/endpoints`,
    rule: 'identity:list_endpoints_for_project',
    async handler(request, deps) {
      const { id } = await getProject(deps.db, request.params['project_id']!)
      return showEndpoints(request, await endpointsOfProject(deps.db, id))
    },
  },
  {
    get: `${prefix}/projects/:project_id/endpoint_groups`,
    rule: 'identity:list_endpoint_groups_for_project',
    async handler(request, deps) {
      const { id } = await getProject(deps.db, request.params['project_id']!)
      const rows = await listEndpointGroups(deps.db, id)
      return collection(
        request,
        'endpoint_groups',
        rows.map((row) => endpointGroupView(request.origin, row)),
      )
    },
  },
  {
    get: `${prefix}/endpoint_groups/:endpoint_group_id/endpoints`,
    rule: 'identity:list_endpoints_associated_with_endpoint_group',
    async handler(request, deps) {
      const group = await getEndpointGroup(deps.db, request.params['endpoint_group_id']!)
      return showEndpoints(request, await endpointsOfGroup(deps.db, group))
    },
  },
  {
    get: `${prefix}/endpoint_groups/:endpoint_group_id/projects`,
    rule: 'identity:list_projects_associated_with_endpoint_group',
    async handler(request, deps) {
      const { id } = await getEndpointGroup(deps.db, request.params['endpoint_group_id']!)
      return showProjects(request, deps, await projectsOf(deps.db, { endpointGroupId: id }))
    },
  },
  { put: groupOfProject, rule: 'identity:add_endpoint_group_to_project', handler: add },
  {
    get: groupOfProject,
    rule: 'identity:get_endpoint_group_in_project',
    async handler(request, deps) {
      const { project } = await check(request, deps)
      const endpoint_group_id = request.params['endpoint_group_id']!
      const self = `${request.origin}${prefix}/endpoint_groups/${endpoint_group_id}/projects/${project.id}`
      return { project_endpoint_group: { endpoint_group_id, project_id: project.id, links: { self } } }
    },
  },
  { delete: groupOfProject, rule: 'identity:remove_endpoint_group_from_project', handler: remove },
]
