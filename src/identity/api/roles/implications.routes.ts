/** What one role implies of others. */
import { Fault } from '#base/errors.ts'
import {
  getRole,
  insertImplication,
  listRoles,
  loadImplications,
  type RoleRow,
  removeImplication,
} from '../../store/roles.ts'
import { globalRole } from '../../store/tables.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'

/** keystone's `prohibited_implied_role`: nobody becomes an administrator by a role that is not. */
const neverImplied = 'admin'

const brief = (origin: string, role: RoleRow) => ({
  id: role.id,
  name: role.name,
  description: role.description,
  links: { self: `${origin}/v3/roles/${role.id}` },
})

const one = '/v3/roles/:prior_role_id/implies/:implied_role_id'

async function both(request: IdentityRequest, deps: IdentityDeps) {
  const prior = await getRole(deps.db, request.params['prior_role_id']!)
  const implied = await getRole(deps.db, request.params['implied_role_id']!)
  return { prior, implied }
}

async function existing(request: IdentityRequest, deps: IdentityDeps) {
  const { prior, implied } = await both(request, deps)
  const implications = await loadImplications(deps.db)
  if (implications.get(prior.id)?.includes(implied.id) !== true) throw noImplication(prior, implied)
  return { prior, implied }
}

const noImplication = (prior: RoleRow, implied: RoleRow): Fault =>
  new Fault('not-found', `${prior.id} does not imply ${implied.id}.`)

function inference(request: IdentityRequest, prior: RoleRow, implied: RoleRow) {
  return {
    role_inference: { prior_role: brief(request.origin, prior), implies: brief(request.origin, implied) },
    links: { self: request.origin + request.url },
  }
}

export const implicationRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/roles/:prior_role_id/implies',
    rule: 'identity:list_implied_roles',
    async handler(request, deps) {
      const prior = await getRole(deps.db, request.params['prior_role_id']!)
      const ids = (await loadImplications(deps.db)).get(prior.id) ?? []
      const implies = await listRoles(deps.db, { ids })
      return {
        role_inference: {
          prior_role: brief(request.origin, prior),
          implies: implies.map((role) => brief(request.origin, role)),
        },
        links: { self: request.origin + request.url },
      }
    },
  },
  {
    put: one,
    rule: 'identity:create_implied_role',
    status: 201,
    async handler(request, deps) {
      const { prior, implied } = await both(request, deps)
      // What holds everywhere must not bring what is of one domain.
      const narrower = prior.domain_id === globalRole && implied.domain_id !== globalRole
      if (implied.name === neverImplied || narrower || implied.id === prior.id) {
        throw new Fault('forbidden', `${implied.id} cannot be an implied roles.`)
      }
      await insertImplication(deps.db, prior.id, implied.id)
      return inference(request, prior, implied)
    },
  },
  {
    get: one,
    rule: 'identity:get_implied_role',
    async handler(request, deps) {
      const { prior, implied } = await existing(request, deps)
      return inference(request, prior, implied)
    },
  },
  {
    head: one,
    rule: 'identity:check_implied_role',
    async handler(request, deps) {
      await existing(request, deps)
    },
  },
  {
    delete: one,
    rule: 'identity:delete_implied_role',
    async handler(request, deps) {
      const { prior, implied } = await both(request, deps)
      if (!(await removeImplication(deps.db, prior.id, implied.id))) throw noImplication(prior, implied)
    },
  },
  {
    get: '/v3/role_inferences',
    rule: 'identity:list_role_inference_rules',
    async handler(request, deps) {
      const roles = new Map((await listRoles(deps.db)).map((role) => [role.id, role]))
      const show = (id: string) => brief(request.origin, roles.get(id)!)
      const implications = await loadImplications(deps.db)
      return {
        role_inferences: [...implications].map(([prior, implied]) => ({
          prior_role: show(prior),
          implies: implied.map(show),
        })),
        links: { self: request.origin + request.url },
      }
    },
  },
]
