/** An identity service of its own for each test: in memory, with cheap passwords and a clock that can be moved. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '#base/log.ts'
import { testDatabase } from '#testing/databases/test-database.ts'
import type { Bootstrap } from '../bootstrap.ts'
import { type Identity, startIdentity } from '../service.ts'
import { migrations } from '../store/migrations/list.ts'

export const bootstrap: Bootstrap = {
  adminPassword: 'secret',
  region: 'RegionOne',
  services: [
    {
      type: 'compute',
      name: 'nova',
      urls: { public: 'http://c:8774/v2.1', internal: 'http://c:8774/v2.1', admin: 'http://c:8774/v2.1' },
    },
    {
      type: 'object-store',
      name: 'swift',
      urls: {
        public: 'http://c:8080/v1/AUTH_$(project_id)s',
        internal: 'http://c:8080/v1/AUTH_%(tenant_id)s',
        admin: 'http://c:8080/v1',
      },
    },
  ],
  serviceUsers: { nova: 'nova-secret' },
}

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
  body: any
  headers: Readonly<Record<string, unknown>>
}

export interface World extends AsyncDisposable {
  identity: Identity
  clock: { now(): number; advance(seconds: number): void }
  /** A call as the holder of the token. */
  call(
    method: string,
    url: string,
    token?: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
  /** As the administrator; throws when the answer is an error. */
  admin(method: string, url: string, body?: unknown): Promise<Answer['body']>
  /** A token of a user by name and password, scoped as said. */
  login(name: string, password: string, scope?: unknown): Promise<string>
  adminToken: string
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'

export async function startWorld(): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'identity-'))
  let now = Date.parse('2026-11-23T12:00:00Z')
  const clock = {
    now: () => now,
    advance(seconds: number) {
      now += seconds * 1000
    },
  }
  const database = await testDatabase(migrations)
  const identity = await startIdentity({
    databaseUrl: database.url,
    keyDirectory: join(directory, 'keys'),
    publicUrl: 'http://controller:5000',
    log: silentLogger,
    passwordHashRounds: 1,
    clock,
  })
  await identity.bootstrap(bootstrap)
  const call: World['call'] = async (method, url, token, body, headers = {}) => {
    const reply = await identity.app.inject({
      method: method as Method,
      url,
      headers: { ...(token === undefined ? {} : { 'x-auth-token': token }), ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
    })
    return {
      status: reply.statusCode,
      body: reply.payload === '' ? undefined : reply.json(),
      headers: reply.headers,
    }
  }
  const login: World['login'] = async (name, password, scope) => {
    const user = { name, password, domain: { id: 'default' } }
    const auth = { identity: { methods: ['password'], password: { user } }, scope }
    const answer = await call('POST', '/v3/auth/tokens', undefined, { auth })
    if (answer.status !== 201) throw new Error(`no login for ${name}: ${JSON.stringify(answer.body)}`)
    return String(answer.headers['x-subject-token'])
  }
  const adminToken = await login('admin', 'secret', projectScope('admin'))
  return {
    identity,
    clock,
    call,
    login,
    adminToken,
    async admin(method, url, body) {
      const answer = await call(method, url, adminToken, body)
      if (answer.status < 400) return answer.body
      throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`)
    },
    async [Symbol.asyncDispose]() {
      await identity[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true })
    },
  }
}

export const projectScope = (name: string) => ({ project: { name, domain: { id: 'default' } } })
