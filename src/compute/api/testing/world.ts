/** Compute's API on databases in memory, with the neighbours that a test gives it. */
import type { FastifyInstance } from 'fastify'
import type { Kysely } from 'kysely'
import { testDatabase } from '#testing/databases/test-database.ts'
import type { AuthContext } from '../../../base/auth/context.ts'
import { createPolicy } from '../../../base/auth/policy/policy.ts'
import { openDatabase } from '../../../base/db/database.ts'
import { type Migration, migrate } from '../../../base/db/migrate.ts'
import { silentLogger } from '../../../base/log.ts'
import { type ComputeApiConfig, defaultComputeApiConfig } from '../../config.ts'
import type { ApiTables } from '../../store/api-tables.ts'
import { type CellDb, cell0Uuid } from '../../store/cell-dbs.ts'
import type { CellTables } from '../../store/cell-tables.ts'
import { apiMigrations, cellMigrations } from '../../store/migrations/list.ts'
import { createComputeApi } from '../app.ts'
import { computePolicies } from '../policies.ts'
import type { ComputeApiDeps } from '../routes.ts'

const roles = {
  admin: ['admin', 'member', 'reader'],
  member: ['member', 'reader'],
  reader: ['reader'],
} as const

/** `admin`, `member`, `reader` of project `p1`; `stranger`, a member of `p2`. */
export function caller(token: string): AuthContext | undefined {
  const name = token === 'stranger' ? 'member' : (token as keyof typeof roles)
  if (!(name in roles)) return undefined
  const project = token === 'stranger' ? 'p2' : 'p1'
  return {
    userId: `u-${token}`,
    userName: token,
    userDomainId: 'default',
    userDomainName: 'Default',
    projectId: project,
    projectName: project,
    projectDomainId: 'default',
    projectDomainName: 'Default',
    domainId: null,
    domainName: null,
    systemScope: false,
    roles: roles[name],
    expiresAt: Number.MAX_SAFE_INTEGER,
    token,
  }
}

/** One message that was sent: `['conductor.wake', args]`. */
export type Sent = [name: string, args: unknown, server?: string]

export interface Reply {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test looks where it expects something.
  body: any
  headers: Record<string, unknown>
}

export interface TestWorld extends AsyncDisposable {
  app: FastifyInstance
  deps: ComputeApiDeps
  cell0: CellDb
  cell1: CellDb
  sent: Sent[]
  /** `call('GET /flavors', { as: 'admin', version: '2.55' })`; the path starts after `/v2.1`. */
  call(what: string, options?: { as?: string; version?: string | undefined; body?: unknown }): Promise<Reply>
}

/** A client that notes what is sent and answers what the test says, or nothing. */
export function recorder<T extends object>(
  sent: Sent[],
  prefix: string,
  answers: Readonly<Record<string, (args: never) => unknown>> = {},
): T {
  return new Proxy({} as T, {
    get:
      (_target, name) =>
      async (args: unknown, to?: { server?: string }): Promise<unknown> => {
        sent.push(
          to?.server === undefined
            ? [`${prefix}.${String(name)}`, args]
            : [`${prefix}.${String(name)}`, args, to.server],
        )
        return await answers[String(name)]?.(args as never)
      },
  })
}

export async function makeWorld(
  given: Partial<ComputeApiDeps> & { settings?: Partial<ComputeApiConfig> } = {},
): Promise<TestWorld> {
  const life = new AsyncDisposableStack()
  const open = async <T>(migrations: readonly Migration[]): Promise<Kysely<T>> => {
    const { url } = life.use(await testDatabase(migrations))
    return life.use(openDatabase<T>(url))
  }
  const apiDb = await open<ApiTables>(apiMigrations)
  await migrate(apiDb, apiMigrations)
  const cells: CellDb[] = []
  for (const [id, name] of [
    [1, 'cell0'],
    [2, 'cell1'],
  ] as const) {
    const db = await open<CellTables>(cellMigrations)
    await migrate(db, cellMigrations)
    cells.push({ id, name, uuid: name === 'cell0' ? cell0Uuid : 'c1', db })
  }
  const sent: Sent[] = []
  const { settings, ...neighbours } = given
  const deps: ComputeApiDeps = {
    apiDb,
    cells: { all: async () => cells },
    config: { ...defaultComputeApiConfig, ...settings },
    identity: { projectExists: async (id) => !id.startsWith('unknown') },
    conductor: recorder(sent, 'conductor'),
    agents: () => recorder(sent, 'agent'),
    placement: recorder(sent, 'placement', { getAggregates: () => [] }),
    networkFor: () => recorder(sent, 'network', { securityGroupsByDevice: () => new Map() }),
    imagesFor: () => recorder(sent, 'image'),
    ...neighbours,
  }
  const app = createComputeApi({
    deps,
    tokens: { validate: async (token) => caller(token) },
    policy: createPolicy(computePolicies),
    log: silentLogger,
    identityUri: 'http://controller:5000',
  })
  return {
    app,
    deps,
    sent,
    cell0: cells[0]!,
    cell1: cells[1]!,
    async call(what, { as = 'member', version, body } = {}) {
      const [method, path] = what.split(' ') as ['GET', string]
      const headers: Record<string, string> = { 'x-auth-token': as, host: 'cloud:8774' }
      if (version !== undefined) headers['openstack-api-version'] = `compute ${version}`
      const options = { method, url: `/v2.1${path}`, headers }
      const reply = await app.inject(body === undefined ? options : { ...options, payload: body as object })
      const parsed = reply.payload === '' ? undefined : JSON.parse(reply.payload)
      return { status: reply.statusCode, body: parsed, headers: reply.headers }
    },
    async [Symbol.asyncDispose]() {
      await app.close()
      await life.disposeAsync()
    },
  }
}
