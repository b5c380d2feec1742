/** Agents that read only what changed know, and have done, what they would after reading everything. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timestamp } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { FakeHost } from '../../linux/fake/fake-host.ts'
import { judged } from '../../linux/rootwrap/testing.ts'
import type { KnownL2, News, RemotePort, ServerMethods, WantedL2 } from '../rpc/agents.ts'
import { newsSince } from '../rpc/news.ts'
import { dhcpAgent, type TestNetwork, testNetwork } from '../test-network.ts'
import { emptyWorld, randomChange, randomNumbers } from '../test-random-changes.ts'
import { defaultBridgeOptions } from './bridge/options.ts'
import { syncPorts } from './bridge/sync-ports.ts'
import { type Standing, WantedState } from './bridge/wanted-state.ts'
import type { Daemons } from './dhcp/daemons.ts'
import type { ServedNetwork } from './dhcp/network.ts'
import { defaultDhcpOptions } from './dhcp/options.ts'
import { syncNetworks } from './dhcp/sync-networks.ts'
import { cloudNames, tapName } from './names.ts'

const hosts = ['one', 'two', 'three']
/** `SEED=… ROUNDS=…` runs what failed again, or for longer. */
const rounds = Number(process.env['ROUNDS'] ?? 15)
const clock = { now: () => Date.now() }
const options = {
  ...defaultBridgeOptions,
  physicalInterfaceMappings: { provider: 'eth1' },
  vxlan: { ...defaultBridgeOptions.vxlan, enabled: true, localIp: '192.0.2.251' },
}

/** Comparable: sorted, and without what the server tells of status, which no change of it is told of. */
function content(state: WantedState) {
  const sorted = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([one], [other]) => (one < other ? -1 : 1))
  const nested = <T>(map: ReadonlyMap<string, ReadonlyMap<string, T>>) =>
    sorted(map).map(([id, of]) => [id, sorted(of)] as const)
  const ports = sorted(state.ports).map(([id, { status: _, ...port }]) => [
    id,
    { ...port, securityGroupIds: [...port.securityGroupIds].sort() },
  ])
  const members = nested(state.members).map(([id, of]) => [
    id,
    of.map(([port, addresses]) => [port, [...addresses].sort()]),
  ])
  const remote = nested(state.remotePorts as Map<string, Map<string, RemotePort>>)
  return { ports, networks: sorted(state.networks), groups: sorted(state.groups), members, remote }
}

const knowsNothing: KnownL2 = { networks: [], tunnelled: [], securityGroups: [], remoteGroups: [] }

async function read(server: ServerMethods, host: string, state: WantedState): Promise<WantedL2> {
  const answer = await server.wantedL2({ host, revision: state.revision, known: state.known() })
  state.apply(answer)
  return answer
}

test('what is put together from changes is what a whole reading gives', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  const next = randomNumbers(seed)
  await using cloud = await testNetwork({ options: { quotas: {} } })
  const states = new Map(hosts.map((host) => [host, new WantedState()]))
  for (const [host, state] of states) assert.equal((await read(cloud.agentServer, host, state)).whole, true)
  const world = emptyWorld()
  const done: string[] = []
  for (let round = 0; round < rounds; round++) {
    for (let count = 1 + next(8); count > 0; count--) done.push(await randomChange(cloud, world, hosts, next))
    for (const [host, state] of states) {
      if (next(3) === 0) continue
      const answer = await read(cloud.agentServer, host, state)
      assert.equal(answer.whole, false)
      const fresh = new WantedState()
      fresh.apply(await cloud.agentServer.wantedL2({ host, revision: null, known: knowsNothing }))
      assert.deepEqual(content(state), content(fresh), `seed ${seed}, ${host}, after:\n${done.join('\n')}`)
      // And a whole answer changes nothing for one who followed the changes.
      const { ports, members, remotePorts } = state.apply({
        ...(await cloud.agentServer.wantedL2({ host, revision: null, known: knowsNothing })),
      })
      assert.equal(ports.size, state.ports.size)
      for (const { before, after } of members) assert.deepEqual([...before].sort(), [...after].sort())
      for (const { before, after } of remotePorts) assert.deepEqual(before, after)
    }
  }
})

test('who follows the news, and asks where they are not enough, knows what a whole reading gives', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  const next = randomNumbers(seed)
  await using cloud = await testNetwork({ options: { quotas: {} } })
  const deps = { db: cloud.db, options: cloud.options, now: () => timestamp(clock) }
  const states = new Map(hosts.map((host) => [host, new WantedState()]))
  for (const [host, state] of states) await read(cloud.agentServer, host, state)
  const world = emptyWorld()
  const done: string[] = []
  const stood = new Set<Standing>()
  // Not all changes concern agents, and a host's own ports are seldom all that changed.
  const isLongEnough = (round: number) => round >= 2 * rounds && stood.has('next') && stood.has('ask')
  let told: string | null = null
  for (let round = 0; !isLongEnough(round); round++) {
    for (let count = 1 + next(3); count > 0; count--) done.push(await randomChange(cloud, world, hosts, next))
    const { revision, news } = await newsSince(deps, told)
    told = revision
    for (const [host, state] of states) {
      // Messages get lost, and who asked in between knows already.
      if (next(5) === 0) continue
      if (next(5) === 0) await read(cloud.agentServer, host, state)
      if (next(5) === 0) await readOwn(cloud.agentServer, host, state)
      const standing = news === undefined ? 'missed' : state.standing(news, host)
      stood.add(standing)
      if (standing === 'ask') await readOwn(cloud.agentServer, host, state)
      if (standing === 'missed') await read(cloud.agentServer, host, state)
      else if (standing !== 'known') state.follow(news!, host)
      const fresh = new WantedState()
      fresh.apply(await cloud.agentServer.wantedL2({ host, revision: null, known: knowsNothing }))
      assert.deepEqual(content(state), content(fresh), `seed ${seed}, ${host}, after:\n${done.join('\n')}`)
    }
  }
})

async function readOwn(server: ServerMethods, host: string, state: WantedState): Promise<void> {
  const asked = { host, revision: state.ownRevision, known: state.known(), own: true }
  state.apply(await server.wantedL2(asked), true)
}

function bridgeSync(cloud: TestNetwork, hostName: string, host: FakeHost, denied: string[]) {
  const names = cloudNames('default')
  // One of them does without sets.
  const own = { ...options, filter: { packets: true, sets: hostName !== hosts[0] } }
  return syncPorts({
    server: cloud.agentServer,
    // Nothing that ever happens to a host is more than an agent without root may have done.
    host: judged(host, (what) => denied.push(what)),
    hostName,
    names,
    options: own,
    log: silentLogger,
    clock,
  })
}

test('what changes did to a host leaves nothing to do for a comparison of everything', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  const next = randomNumbers(seed)
  await using cloud = await testNetwork({ options: { quotas: {} } })
  const denied: string[] = []
  const agents = new Map(
    hosts.map((name) => {
      const host = new FakeHost()
      host.addPhysical('eth1')
      return [name, { host, sync: bridgeSync(cloud, name, host, denied) }] as const
    }),
  )
  for (const { sync } of agents.values()) await sync.task.run()
  const deps = { db: cloud.db, options: cloud.options, now: () => timestamp(clock) }
  const untold = new Map<string, (News | undefined)[]>(hosts.map((name) => [name, []]))
  let { revision } = await newsSince(deps, null)
  const world = emptyWorld()
  const done: string[] = []
  for (let round = 0; round < rounds; round++) {
    for (let count = 1 + next(6); count > 0; count--) done.push(await randomChange(cloud, world, hosts, next))
    const since = await newsSince(deps, revision)
    revision = since.revision
    for (const news of untold.values()) news.push(since.news)
    for (const [name, { host, sync }] of agents) {
      if (next(3) === 0) continue
      for (const news of untold.get(name)!.splice(0)) {
        if (news?.hosts[name] !== undefined) sync.changed({ hosts: [name] })
        sync.changed(news === undefined ? {} : { news })
      }
      await sync.task.run()
      // Guests come and go too.
      const answer = await cloud.wantedL2(name)
      for (const port of answer.ports) {
        const tap = tapName(port.id)
        if (next(4) === 0) host.unplugTap(tap)
        else host.plugTap(tap, `brq${port.networkId.slice(0, 11)}`)
        sync.tapChanged(tap)
      }
      await sync.task.run()
      const before = host.changes
      const why = `seed ${seed}, ${name}, after:\n${done.join('\n')}`
      sync.compareAll()
      await sync.task.run()
      assert.equal(host.changes, before, why)
      const wanted = await cloud.wantedL2(name)
      const links = await host.links()
      for (const port of wanted.ports) {
        const on = port.adminStateUp && wanted.networks.find(({ id }) => id === port.networkId)?.adminStateUp
        const up = links.has(tapName(port.id)) && on === true
        if (up) assert.ok(sync.status.devices > 0, why)
        if (!up) assert.equal(port.status, 'DOWN', why)
      }
    }
  }
  assert.deepEqual(denied, [])
})

test('the DHCP agent that follows changes serves what a whole reading tells to serve', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  const next = randomNumbers(seed)
  await using cloud = await testNetwork({ options: { quotas: {} } })
  await cloud.rpc('reportState', dhcpAgent('one'))
  const served = new Map<string, string>()
  const keep = async (network: ServedNetwork) => void served.set(network.id, text(network))
  const daemons: Daemons = {
    served: async () => [...served.keys()],
    serve: keep,
    servePorts: keep,
    withdraw: async (id) => void served.delete(id),
  }
  const sync = syncNetworks({
    server: cloud.agentServer,
    host: new FakeHost(),
    hostName: 'one',
    names: cloudNames('default'),
    daemons,
    options: { ...defaultDhcpOptions, stateDirectory: '/none', metadataProxySocket: '/none' },
    log: silentLogger,
    clock,
  })
  const world = emptyWorld()
  const done: string[] = []
  for (let round = 0; round < rounds; round++) {
    for (let count = 1 + next(6); count > 0; count--) done.push(await randomChange(cloud, world, hosts, next))
    // The agent's own ports are changes, too.
    for (let again = 0; again < 2; again++) await sync.task.run()
    const networks = await cloud.wantedDhcp('one')
    const wanted = networks.filter((network) => network.subnets.some((subnet) => subnet.enableDhcp))
    const expected = wanted.map((network) =>
      text({
        ...network,
        dhcpPort: network.dhcpPort!,
        ports: new Map(network.ports.map((port) => [port.id, port])),
      }),
    )
    const why = `seed ${seed}, after:\n${done.join('\n')}`
    assert.deepEqual([...served.values()].sort(), expected.sort(), why)
    const waiting = await cloud.db
      .selectFrom('provisioningblocks')
      .selectAll()
      .where('entity', '=', 'DHCP')
      .execute()
    const ports = new Set(wanted.flatMap((network) => network.ports.map((port) => port.id)))
    assert.deepEqual(
      waiting.filter((block) => ports.has(block.port_id)),
      [],
      why,
    )
  }
})

function text(network: ServedNetwork): string {
  const { id, mtu, subnets, dhcpPort, dnsDomain, ports } = network
  const list = [...ports.values()].sort((one, other) => (one.id < other.id ? -1 : 1))
  return JSON.stringify({ id, mtu, subnets, dhcpPort, dnsDomain, list })
}
