import { Fault } from '#base/errors.ts'
import {
  type AccessRuleRow,
  listAccessRules,
  listApplicationCredentials,
  removeAccessRule,
} from '../../store/application-credentials.ts'
import { collection, filtered } from '../collection.ts'
import { forbidRestricted } from '../delegation.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { userTarget } from '../users/users.routes.ts'

const all = '/v3/users/:user_id/access_rules'
const one = `${all}/:access_rule_id`

function ruleView(request: IdentityRequest, row: AccessRuleRow) {
  return {
    id: row.id,
    service: row.service,
    method: row.method,
    path: row.path,
    links: { self: `${request.origin}/v3/access_rules/${row.id}` },
  }
}

async function ofPath(request: IdentityRequest, deps: IdentityDeps): Promise<AccessRuleRow> {
  const id = request.params['access_rule_id']!
  const [row] = await listAccessRules(deps.db, { userId: request.params['user_id']!, ids: [id] })
  if (row === undefined) throw new Fault('not-found', `Could not find Access Rule: ${id}.`)
  return row
}

export const accessRuleRoutes: readonly IdentityRoute[] = [
  {
    get: all,
    rule: 'identity:list_access_rules',
    target: userTarget,
    async handler(request, deps) {
      const rows = await listAccessRules(deps.db, { userId: request.params['user_id']! })
      const views = rows.map((row) => ruleView(request, row))
      return collection(request, 'access_rules', filtered(request, views, ['service', 'path', 'method']))
    },
  },
  {
    get: one,
    rule: 'identity:get_access_rule',
    target: userTarget,
    async handler(request, deps) {
      return { access_rule: ruleView(request, await ofPath(request, deps)) }
    },
  },
  {
    delete: one,
    rule: 'identity:delete_access_rule',
    target: userTarget,
    async handler(request, deps) {
      forbidRestricted(request)
      const row = await ofPath(request, deps)
      const credentials = await listApplicationCredentials(deps.db, row.user_id)
      if (credentials.some((credential) => credential.access_rule_ids?.includes(row.id) === true)) {
        throw new Fault(
          'forbidden',
          'You are not authorized to perform the requested action: May not delete access rule in use.',
        )
      }
      await removeAccessRule(deps.db, row.id)
    },
  },
]
