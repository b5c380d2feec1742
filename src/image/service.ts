/** Wires the Image service: database, file store and API. */
import type { FastifyInstance } from 'fastify'
import type { Kysely } from 'kysely'
import type { TokenValidator } from '../base/auth/context.ts'
import { createPolicy } from '../base/auth/policy/policy.ts'
import type { PolicyOverrides } from '../base/auth/policy/policy-file.ts'
import { type DatabaseOpener, migratedDatabases } from '../base/db/opener.ts'
import { createApi } from '../base/http/app.ts'
import type { Logger } from '../base/log.ts'
import { runTasks } from '../base/task/run-tasks.ts'
import type { Task } from '../base/task/task.ts'
import { dataRoutes } from './api/data/data.routes.ts'
import type { ImageDeps } from './api/deps.ts'
import { renderFault } from './api/faults.ts'
import { imageRoutes } from './api/images/images.routes.ts'
import { importRoutes } from './api/import/import.routes.ts'
import { infoRoutes } from './api/info/info.routes.ts'
import { memberRoutes } from './api/members/members.routes.ts'
import { metadefItemRoutes } from './api/metadefs/items.routes.ts'
import { namespaceRoutes } from './api/metadefs/namespaces.routes.ts'
import { resourceTypeRoutes } from './api/metadefs/resource-types.routes.ts'
import { metadefSchemaRoutes } from './api/metadefs/schemas.routes.ts'
import { metadefTagRoutes } from './api/metadefs/tags.routes.ts'
import { imagePolicies } from './api/policies.ts'
import { schemaRoutes } from './api/schemas/schemas.routes.ts'
import { tagRoutes } from './api/tags/tags.routes.ts'
import { taskRoutes } from './api/tasks/tasks.routes.ts'
import { versionRoutes } from './api/versions.ts'
import { FileStore } from './backends/file-store.ts'
import { defaultSettings, type ImageSettings } from './config.ts'
import { recover } from './recover.ts'
import { migrations } from './store/migrations/list.ts'
import type { ImageTables } from './store/tables.ts'
import { deadAfterMilliseconds, trackUnderWay } from './under-way.ts'

export interface ImageOptions {
  databaseUrl: string
  /** Makes the tables where they are not there, unless given. */
  openDatabase?: DatabaseOpener
  /** Where the images' data are, and those that wait for their import. */
  imageDirectory: string
  stagingDirectory: string
  /** Other processes serve the same images. */
  shared?: boolean
  tokens: TokenValidator
  log: Logger
  identityUri: string
  settings?: Partial<ImageSettings>
  policyOverrides?: PolicyOverrides
}

export interface ImageService extends AsyncDisposable {
  app: FastifyInstance
  db: Kysely<ImageTables>
}

export const imageApiRoutes = [
  ...versionRoutes,
  ...imageRoutes,
  ...dataRoutes,
  ...memberRoutes,
  ...tagRoutes,
  ...schemaRoutes,
  ...importRoutes,
  ...infoRoutes,
  ...taskRoutes,
  ...metadefSchemaRoutes,
  ...namespaceRoutes,
  ...metadefItemRoutes,
  ...metadefTagRoutes,
  ...resourceTypeRoutes,
]

/** Opens the database, clears what a killed process left half-way, and builds the API; the caller listens with it. */
export async function startImage(options: ImageOptions): Promise<ImageService> {
  const { log } = options
  const policy = createPolicy(imagePolicies, options.policyOverrides)
  const db = await (options.openDatabase ?? migratedDatabases({ log: options.log }))<ImageTables>(
    options.databaseUrl,
    migrations,
  )
  await using undo = new AsyncDisposableStack()
  undo.defer(() => db.destroy())
  const store = new FileStore(options.imageDirectory)
  const staging = new FileStore(options.stagingDirectory)
  const work = trackUnderWay(db)
  const clean = (before: Date) => recover({ db, store, staging, log, before })
  // Alone, nobody else can be at anything that is half-way.
  if (options.shared !== true) await clean(new Date())
  const sweep: Task = {
    name: 'recover',
    everySeconds: 300,
    run: () => clean(new Date(Date.now() - deadAfterMilliseconds)),
  }
  undo.use(runTasks(options.shared === true ? [work.task, sweep] : [work.task], { log }))
  const background = new Set<Promise<void>>()
  const deps: ImageDeps = {
    db,
    store,
    staging,
    settings: { ...defaultSettings, ...options.settings },
    log,
    underWay: work.begin,
    inBackground(work) {
      const running = work()
        .catch((error: unknown) => log.error({ err: error }, 'work in the background failed'))
        .finally(() => background.delete(running))
      background.add(running)
    },
  }
  const app = createApi<ImageDeps>({
    name: 'image',
    routes: imageApiRoutes,
    deps,
    log,
    tokens: options.tokens,
    policy,
    renderFault,
    identityUri: options.identityUri,
  })
  const kept = undo.move()
  return {
    app,
    db,
    async [Symbol.asyncDispose]() {
      await app.close()
      await Promise.all(background)
      await kept.disposeAsync()
    },
  }
}
