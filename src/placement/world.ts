/** Placement in memory for tests, with an administrator's token and short ways to call it. */
import { testDatabase } from '#testing/databases/test-database.ts'
import type { AuthContext } from '../base/auth/context.ts'
import { sendByInject } from '../base/http/client.ts'
import { silentLogger } from '../base/log.ts'
import { type PlacementClient, placementClient } from './client.ts'
import { type PlacementOptions, type PlacementService, startPlacement } from './service.ts'
import { migrations } from './store/migrations/list.ts'

export interface Answer {
  status: number
  headers: Record<string, string>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape and version.
  body: any
}

export interface PlacementWorld extends PlacementService {
  client: PlacementClient
  /** Calls at a microversion (1.39 unless given) as the administrator, or with other headers. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
}

interface CallOptions {
  body?: unknown
  version?: string
  headers?: Record<string, string>
}

const callers: Readonly<Record<string, Partial<AuthContext>>> = {
  admin: { roles: ['admin', 'member', 'reader'] },
  service: { roles: ['service'] },
  reader: { roles: ['reader'] },
}

/** Starts placement on a database in memory; tokens are `admin`, `service` and `reader`, all in project `home`. */
export async function placementWorld(options: Partial<PlacementOptions> = {}): Promise<PlacementWorld> {
  const life = new AsyncDisposableStack()
  const { databaseUrl = life.use(await testDatabase(migrations)).url } = options
  const service = await startPlacement({
    tokens: {
      validate: async (token) => {
        const caller = callers[token]
        return caller === undefined
          ? undefined
          : ({ userId: token, projectId: 'home', systemScope: false, token, ...caller } as AuthContext)
      },
    },
    log: silentLogger,
    identityUri: 'http://controller:5000',
    ...options,
    databaseUrl,
  })
  life.use(service)
  const send = sendByInject(service.app)
  return {
    ...service,
    client: placementClient(send, async () => 'admin'),
    async call(method, path, { body, version = '1.39', headers = {} } = {}) {
      const reply = await send({
        method: method as 'GET',
        path,
        headers: { 'x-auth-token': 'admin', 'openstack-api-version': `placement ${version}`, ...headers },
        ...(body === undefined ? {} : { body }),
      })
      return { status: reply.status, headers: { ...reply.headers }, body: reply.body }
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  }
}
