import type { FastifyInstance } from 'fastify'
import type { TokenValidator } from '../base/auth/context.ts'
import { createPolicy } from '../base/auth/policy/policy.ts'
import type { PolicyOverrides } from '../base/auth/policy/policy-file.ts'
import { type DatabaseOpener, migratedDatabases } from '../base/db/opener.ts'
import { inTransaction } from '../base/db/transaction.ts'
import { createApi } from '../base/http/app.ts'
import type { Logger } from '../base/log.ts'
import type { PlacementSettings } from './api/deps.ts'
import { renderFault } from './api/faults.ts'
import { policyDefaults } from './api/policies.ts'
import { placementRoutes } from './api/routes.ts'
import { versions } from './api/versions.ts'
import { ProviderSnapshot } from './candidates/snapshot.ts'
import { defaultSettings } from './config.ts'
import { migrations } from './store/migrations/list.ts'
import { syncResourceClasses } from './store/resource-classes.ts'
import type { PlacementDatabase, Tables } from './store/tables.ts'
import { syncTraits } from './store/traits.ts'

export interface PlacementOptions {
  databaseUrl: string
  /** Makes the tables where they are not there, unless given. */
  openDatabase?: DatabaseOpener
  tokens: TokenValidator
  log: Logger
  identityUri: string
  policyOverrides?: PolicyOverrides
  /** OpenStack's defaults unless given; `config.ts` makes them from a file. */
  settings?: Partial<PlacementSettings>
}

export interface PlacementService extends AsyncDisposable {
  app: FastifyInstance
  db: PlacementDatabase
}

/** Opens placement's database, brings it up to date, and makes the API over it; the caller listens. */
export async function startPlacement(options: PlacementOptions): Promise<PlacementService> {
  const db = await (options.openDatabase ?? migratedDatabases({ log: options.log }))<Tables>(
    options.databaseUrl,
    migrations,
  )
  await using undo = new AsyncDisposableStack()
  undo.defer(() => db.destroy())
  await inTransaction(db, async (transaction) => {
    await syncResourceClasses(transaction)
    await syncTraits(transaction)
  })
  const app = createApi({
    name: 'placement',
    routes: placementRoutes,
    deps: {
      db,
      snapshot: new ProviderSnapshot(db),
      settings: { ...defaultSettings, ...options.settings },
    },
    log: options.log,
    tokens: options.tokens,
    policy: createPolicy(policyDefaults, options.policyOverrides),
    versions,
    renderFault,
    identityUri: options.identityUri,
    // A reshape or a move may name thousands of consumers.
    maxBodyBytes: 16 * 1024 * 1024,
  })
  undo.defer(() => app.close())
  const life = undo.move()
  return { app, db, [Symbol.asyncDispose]: () => life.disposeAsync() }
}
