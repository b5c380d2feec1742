/** For tests: Network on a database in memory, with callers whose tokens say who they are. */
import { testDatabase } from '#testing/databases/test-database.ts'
import type { AuthContext, TokenValidator } from '../base/auth/context.ts'
import { createMemoryBus } from '../base/bus/memory.ts'
import type { Clock } from '../base/clock.ts'
import { type Send, sendByInject } from '../base/http/client.ts'
import { silentLogger } from '../base/log.ts'
import { networkClient } from './client.ts'
import type { NetworkOptions } from './config.ts'
import type { ComputeEvent, SendEvents } from './events/compute-event.ts'
import type { AgentReport, KnownL2, ServerMethods } from './rpc/agents.ts'
import { serverTopic } from './rpc/agents.ts'
import { startNetwork } from './service.ts'
import { networkMigrations } from './store/migrations/list.ts'

/** `admin:ops` is an admin of the project `ops`; `member:blue` one of the members of `blue`. */
export const testTokens: TokenValidator = {
  validate: async (token) => {
    const [role, project] = token.split(':')
    if (role === undefined || project === undefined) return undefined
    const roles = role === 'admin' ? ['admin', 'member', 'reader'] : [role, 'reader']
    return {
      userId: `user-${token}`,
      projectId: project,
      domainId: null,
      roles,
      token,
    } as unknown as AuthContext
  },
}

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every form.
  body: any
  headers: Readonly<Record<string, string>>
}

export async function testNetwork(
  settings: {
    options?: Partial<NetworkOptions>
    clock?: Clock
    sendEvents?: SendEvents
    databaseUrl?: string
  } = {},
) {
  const life = new AsyncDisposableStack()
  const { databaseUrl = life.use(await testDatabase(networkMigrations)).url } = settings
  const bus = createMemoryBus()
  const events: ComputeEvent[] = []
  const network = await startNetwork({
    databaseUrl,
    tokens: testTokens,
    bus,
    log: silentLogger,
    identityUri: 'http://controller:5000',
    sendEvents: settings.sendEvents ?? (async (batch) => void events.push(...batch)),
    ...(settings.options === undefined ? {} : { options: settings.options }),
    ...(settings.clock === undefined ? {} : { clock: settings.clock }),
  })
  life.use(network)
  const send: Send = sendByInject(network.app)
  const as =
    (token: string) =>
    async (
      method: 'GET' | 'POST' | 'PUT' | 'DELETE',
      path: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ): Promise<Answer> => {
      const call = { method, path: `/v2.0${path}`, headers: { 'x-auth-token': token, ...headers } }
      const reply = await send(body === undefined ? call : { ...call, body })
      return { status: reply.status, body: reply.body, headers: reply.headers }
    }
  return {
    ...network,
    bus,
    events,
    send,
    as,
    admin: as('admin:ops'),
    member: as('member:blue'),
    client: (token: string) => networkClient(send, async () => token),
    /** What the server does every half minute about DHCP agents that died. */
    checkDhcp: () => network.checkDhcp(),
    /** All that a host's agents are to do. */
    wantedL2: (host: string) => network.agentServer.wantedL2({ host, revision: null, known: knowsNothing }),
    wantedDhcp: async (host: string) =>
      (await network.agentServer.wantedDhcp({ host, revision: null, networks: [] })).networks,
    [Symbol.asyncDispose]: () => life.disposeAsync(),
    /** Calls a method that agents call. */
    rpc: <K extends keyof ServerMethods>(
      method: K,
      args: Parameters<ServerMethods[K]>[0],
    ): ReturnType<ServerMethods[K]> =>
      bus.call({ topic: serverTopic }, method, args) as ReturnType<ServerMethods[K]>,
  }
}

const knowsNothing: KnownL2 = { networks: [], tunnelled: [], securityGroups: [], remoteGroups: [] }

export type TestNetwork = Awaited<ReturnType<typeof testNetwork>>

/** What a Linux bridge agent reports of itself. */
export const bridgeAgent = (host: string, configurations: Record<string, unknown> = {}): AgentReport => ({
  agentType: 'Linux bridge agent',
  binary: 'neutron-linuxbridge-agent',
  host,
  topic: 'N/A',
  configurations: {
    interface_mappings: { provider: 'eth1' },
    tunnel_types: ['vxlan'],
    tunneling_ip: '10.9.0.1',
    ...configurations,
  },
  started: true,
})

/** What a DHCP agent reports of itself. */
export const dhcpAgent = (host: string): AgentReport => ({
  agentType: 'DHCP agent',
  binary: 'neutron-dhcp-agent',
  host,
  topic: 'dhcp_agent',
  configurations: { dhcp_driver: 'dnsmasq', networks: 0 },
  availabilityZone: 'nova',
  started: true,
})

/** Creates something and gives it back. */
export async function made(
  call: (method: 'POST', path: string, body: unknown) => Promise<Answer>,
  path: string,
  key: string,
  values: Record<string, unknown>,
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every form.
): Promise<any> {
  const answer = await call('POST', path, { [key]: values })
  if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body[key]
}
