/** Moves of servers between hosts. Servers stay on their host here, so the lists are empty. */
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { CellDeps } from '../deps.ts'
import { AnyText, byVersion, Digits, queryOf } from '../schema-types.ts'
import { serverOf } from '../servers/server-of-request.ts'

const query = byVersion((version) =>
  queryOf(
    {
      hidden: AnyText,
      host: AnyText,
      instance_uuid: AnyText,
      source_compute: AnyText,
      status: AnyText,
      migration_type: AnyText,
      ...(version < 2059 ? {} : { limit: Digits, marker: AnyText, 'changes-since': AnyText }),
      ...(version < 2066 ? {} : { 'changes-before': AnyText }),
      ...(version < 2080 ? {} : { user_id: AnyText, project_id: AnyText }),
    },
    { strict: version >= 2059 },
  ),
)
const ofServer = '/servers/:id/migrations'

export const migrationRoutes: readonly Route<CellDeps>[] = [
  {
    get: '/os-migrations',
    policy: 'os_compute_api:os-migrations:index',
    query,
    handler: () => ({ migrations: [] }),
  },
  {
    get: ofServer,
    since: '2.23',
    policy: 'os_compute_api:servers:migrations:index',
    handler: async (request: ApiRequest<never>, deps) => {
      await serverOf(request, deps)
      return { migrations: [] }
    },
  },
  {
    get: `${ofServer}/:migration`,
    since: '2.23',
    policy: 'os_compute_api:servers:migrations:show',
    handler: noMigration,
  },
  {
    delete: `${ofServer}/:migration`,
    since: '2.24',
    policy: 'os_compute_api:servers:migrations:delete',
    handler: noMigration,
  },
  {
    post: `${ofServer}/:migration/action`,
    action: 'force_complete',
    since: '2.22',
    policy: 'os_compute_api:servers:migrations:force_complete',
    handler: noMigration,
  },
]

async function noMigration(request: ApiRequest<never>, deps: CellDeps): Promise<never> {
  const { uuid } = await serverOf(request, deps)
  throw new Fault(
    'not-found',
    `Migration ${request.params['migration']} for server ${uuid} is not live-migration.`,
  )
}
