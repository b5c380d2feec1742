/** Domains have no configuration of their own here: their users are in the one database. */
import { Fault } from '#base/errors.ts'
import { getDomain } from '../../store/projects.ts'
import type { IdentityRoute } from '../identity-route.ts'

export const domainConfigRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/domains/:domain_id/config',
    rule: 'identity:get_domain_config',
    async handler(request, deps) {
      const { id } = await getDomain(deps.db, request.params['domain_id']!)
      throw new Fault('not-found', `Could not find any options in domain configuration for domain ${id}.`)
    },
  },
]
