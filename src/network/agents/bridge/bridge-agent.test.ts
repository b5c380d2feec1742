import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryBus } from '../../../base/bus/memory.ts'
import { Fault } from '../../../base/errors.ts'
import { silentLogger } from '../../../base/log.ts'
import { FakeHost } from '../../../linux/fake/fake-host.ts'
import type { LinkChange, Route } from '../../../linux/links.ts'
import { bridgeName, tapName } from '../names.ts'
import { aGroup, aNetwork, aPort, aRule, emptyWanted, groupId, networkId, stubServer } from '../testing.ts'
import { type BridgeOptions, defaultBridgeOptions } from './options.ts'
import { startBridgeAgent } from './start-bridge-agent.ts'

async function startAgent(options: Partial<BridgeOptions> = {}, host = new FakeHost(), cloudId = 'default') {
  await using undo = new AsyncDisposableStack()
  const bus = createMemoryBus()
  undo.defer(() => bus.close())
  const server = undo.use(await stubServer(bus))
  const start = () =>
    startBridgeAgent({
      bus,
      host,
      hostName: 'compute1',
      log: silentLogger,
      cloudId,
      options: { ...defaultBridgeOptions, ...options },
    })
  const agent = undo.use(await start())
  const kept = undo.move()
  return { server, host, agent, start, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Waits until something is so: events of the host reach the agent by themselves. */
async function until(what: () => boolean): Promise<void> {
  for (let round = 0; !what(); round++) {
    if (round === 500) throw new Error(`it never came to be: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

test('the bridge is there before the guest, and a plugged device makes the port ACTIVE without a timer', async () => {
  await using world = await startAgent()
  const { server, host } = world
  server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork({ mtu: 1450 })],
    ports: [aPort(1)],
    securityGroups: aGroup(),
  }
  await server.changed(['compute1'])
  const links = await (async () => {
    for (;;) {
      const now = await host.links()
      if (now.get(bridgeName(networkId))?.up) return now
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })()
  assert.equal(links.get(bridgeName(networkId))?.mtu, 1450)
  assert.equal(links.get(bridgeName(networkId))?.alias, 'kilonova:default')
  assert.equal(server.wanted.ports[0]?.status, 'DOWN')

  host.plugTap(tapName(aPort(1).id), bridgeName(networkId))
  await until(() => server.wanted.ports[0]?.status === 'ACTIVE')
  assert.equal((await host.links()).get(tapName(aPort(1).id))?.mtu, 1450)

  host.unplugTap(tapName(aPort(1).id))
  await until(() => server.wanted.ports[0]?.status === 'DOWN')
})

test('a device that the hypervisor still makes is left alone: it is put onto the bridge by one of both', async () => {
  await using world = await startAgent()
  const { server, host, agent } = world
  server.wanted = { ...emptyWanted(), networks: [aNetwork()], ports: [aPort(1)], securityGroups: aGroup() }
  const name = tapName(aPort(1).id)
  await host.changeLinks([{ do: 'add-veth', name, peer: 'guest' }])
  await agent.sync()
  assert.equal((await host.links()).get(name)?.master, null)
  assert.equal(server.wanted.ports[0]?.status, 'DOWN')
  await host.changeLinks([{ do: 'set', name, up: true }])
  await agent.sync()
  assert.equal((await host.links()).get(name)?.master, bridgeName(networkId))
  assert.equal(server.wanted.ports[0]?.status, 'ACTIVE')
})

test('a fanout for other hosts does not wake the agent', async () => {
  await using world = await startAgent()
  const { server, host } = world
  await world.agent.sync()
  server.wanted = { ...emptyWanted(), networks: [aNetwork()] }
  await server.changed(['compute2'])
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal((await host.links()).has(bridgeName(networkId)), false)
})

test('a second run changes nothing, nor does a restarted agent', async () => {
  await using world = await startAgent({ physicalInterfaceMappings: { provider: 'eth1' } })
  const { server, host, agent } = world
  host.addPhysical('eth1', ['192.0.2.2/24'])
  server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork({ networkType: 'flat', physicalNetwork: 'provider' })],
    ports: [aPort(1), aPort(2, { portSecurityEnabled: false }), aPort(3, { deviceOwner: 'network:dhcp' })],
    securityGroups: aGroup([aRule({ remoteGroupId: groupId })]),
    remoteGroups: { [groupId]: { ipv4: ['10.0.0.1/32', '10.0.0.2/32'], ipv6: [] } },
  }
  await agent.sync()
  const links = await host.links()
  assert.equal(links.get('eth1')?.master, bridgeName(networkId))
  assert.deepEqual(links.get('eth1')?.addresses, [])
  assert.deepEqual(links.get(bridgeName(networkId))?.addresses, ['192.0.2.2/24'])
  const before = host.changes
  await agent.sync()
  await using restarted = await world.start()
  await restarted.sync()
  assert.equal(host.changes, before)
})

test('a member that joins a remote group changes its set and no rule', async () => {
  await using world = await startAgent()
  const { server, host, agent } = world
  server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork()],
    ports: [aPort(1)],
    securityGroups: aGroup([aRule({ remoteGroupId: groupId })]),
    remoteGroups: { [groupId]: { ipv4: ['10.0.0.1/32'], ipv6: [] } },
  }
  await agent.sync()
  const before = host.changes
  server.wanted.remoteGroups = { [groupId]: { ipv4: ['10.0.0.1/32', '10.0.0.7/32'], ipv6: [] } }
  await agent.sync()
  assert.equal(host.changes, before + 1)
  const set = (await host.sets()).get(`NIPv4${groupId}`.slice(0, 29))
  assert.deepEqual([...(set?.entries ?? [])], ['10.0.0.1', '10.0.0.7'])
})

test('who leaves a remote group loses its connections', async () => {
  await using world = await startAgent()
  const { server, host, agent } = world
  const members = (...ipv4: string[]) => ({ [groupId]: { ipv4, ipv6: [] } })
  server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork()],
    ports: [aPort(1)],
    securityGroups: aGroup([aRule({ remoteGroupId: groupId })]),
    remoteGroups: members('10.0.0.1/32', '10.0.0.7/32'),
  }
  await agent.sync()
  assert.deepEqual(host.forgotten, [])
  server.wanted.remoteGroups = members('10.0.0.1/32')
  await agent.sync()
  assert.deepEqual(
    host.forgotten.map(({ address }) => address),
    ['10.0.0.7'],
  )
  server.wanted.remoteGroups = members('10.0.0.1/32', '10.0.0.8/32')
  await agent.sync()
  assert.equal(host.forgotten.length, 1)
})

test('without sets each member of a remote group has a rule, and one that leaves loses its connections', async () => {
  const host = new FakeHost()
  const filter = { packets: true, sets: true }
  const wanted = {
    ...emptyWanted(),
    networks: [aNetwork()],
    ports: [aPort(1)],
    securityGroups: aGroup([aRule({ remoteGroupId: groupId, protocol: 'icmp' })]),
    remoteGroups: { [groupId]: { ipv4: ['10.0.0.1/32', '10.0.0.2/32'], ipv6: ['2001:db8::2/128'] } },
  }
  {
    await using before = await startAgent({ filter }, host)
    before.server.wanted = structuredClone(wanted)
    await before.agent.sync()
    assert.equal((await host.sets()).size, 1)
  }
  await using world = await startAgent({ filter: { ...filter, sets: false } }, host)
  world.server.wanted = wanted
  await world.agent.sync()
  assert.equal((await host.sets()).size, 0)
  const allowed = async () => {
    const chain = (await host.rules('ipv4'))
      .get('filter')
      ?.get(`neutron-linuxbri-i${aPort(1).id.slice(0, 10)}`)
    return chain?.filter((rule) => rule.includes('-p icmp'))
  }
  assert.deepEqual(await allowed(), ['-s 10.0.0.1/32 -p icmp -j RETURN', '-s 10.0.0.2/32 -p icmp -j RETURN'])
  wanted.remoteGroups = { [groupId]: { ipv4: ['10.0.0.1/32'], ipv6: [] } }
  await world.agent.sync()
  assert.deepEqual(await allowed(), ['-s 10.0.0.1/32 -p icmp -j RETURN'])
  assert.deepEqual(
    host.forgotten.map(({ address }) => address),
    ['10.0.0.1'],
  )
})

test('without sets the tool for them need not be there', async () => {
  const host = new FakeHost()
  host.sets = () => Promise.reject(new Error('ipset could not be started'))
  await using world = await startAgent({ filter: { packets: true, sets: false } }, host)
  world.server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork()],
    ports: [aPort(1)],
    securityGroups: aGroup(),
  }
  await world.agent.sync()
  assert.ok((await host.rules('ipv4')).get('filter')!.has('neutron-linuxbri-sg-chain'))
})

test('a host that filters no packets still refuses forged senders, and one that filtered before takes its rules away', async () => {
  const host = new FakeHost()
  const wanted = {
    ...emptyWanted(),
    networks: [aNetwork()],
    ports: [aPort(1), aPort(2, { portSecurityEnabled: false })],
    securityGroups: aGroup([aRule({ remoteGroupId: groupId })]),
    remoteGroups: { [groupId]: { ipv4: ['10.0.0.1/32'], ipv6: [] } },
  }
  {
    await using before = await startAgent({}, host)
    before.server.wanted = structuredClone(wanted)
    await before.agent.sync()
  }
  await using world = await startAgent({ filter: { packets: false, sets: true } }, host)
  world.server.wanted = wanted
  await world.agent.sync()
  for (const family of ['ipv4', 'ipv6'] as const)
    for (const chains of (await host.rules(family)).values())
      assert.deepEqual([...chains.values()].flat(), [])
  assert.equal((await host.sets()).size, 0)
  const frames = (await host.rules('bridge')).get('nat')
  assert.deepEqual([...(frames?.keys() ?? [])].sort(), [
    'PREROUTING',
    'neutron-linuxbri-PREROUTING',
    'neutronARP-tapaaaaaaa1-22',
    'neutronMAC-tapaaaaaaa1-22',
  ])
  host.plugTap(tapName(aPort(1).id), bridgeName(networkId))
  await until(() => wanted.ports[0]?.status === 'ACTIVE')
})

test('a port of a server without security groups is not filtered, but may not forge who it is', async () => {
  await using world = await startAgent()
  const { server, host, agent } = world
  server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork()],
    ports: [aPort(1, { securityGroupIds: [], packetFilter: false })],
  }
  await agent.sync()
  const forward = (await host.rules('ipv4')).get('filter')?.get('neutron-linuxbri-FORWARD')
  assert.equal(forward?.filter((rule) => rule.endsWith('-j ACCEPT')).length, 2)
  assert.equal((await host.rules('ipv4')).get('filter')?.has('neutron-linuxbri-iaaaaaaa1-2'), false)
  assert.ok((await host.rules('bridge')).get('nat')?.has('neutronMAC-tapaaaaaaa1-22'))
})

test('a rule that is taken away ends the connections it allowed; one that is added ends none', async () => {
  await using world = await startAgent()
  const { server, host, agent } = world
  const ssh = aRule({ protocol: 'tcp', portRangeMin: 22, portRangeMax: 22 })
  server.wanted = { ...emptyWanted(), networks: [aNetwork()], ports: [aPort(1)], securityGroups: aGroup() }
  await agent.sync()
  server.wanted.securityGroups = aGroup([ssh])
  await agent.sync()
  assert.deepEqual(host.forgotten, [])
  server.wanted.securityGroups = aGroup()
  await agent.sync()
  assert.deepEqual(
    host.forgotten.map(({ address }) => address),
    ['10.0.0.1'],
  )
})

test('what nobody wants any more is removed, and what belongs to another cloud stays', async () => {
  const host = new FakeHost()
  await using one = await startAgent({}, host, 'one')
  await using two = await startAgent({}, host, 'two')
  const other = '33333333-3333-4333-8333-333333333333'
  one.server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork()],
    ports: [aPort(1)],
    securityGroups: aGroup(),
  }
  two.server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork({ id: other })],
    ports: [aPort(2, { networkId: other })],
    securityGroups: aGroup(),
  }
  await one.agent.sync()
  await two.agent.sync()
  const chains = async () => [...((await host.rules('ipv4')).get('filter')?.keys() ?? [])].length
  const both = await chains()
  one.server.wanted = emptyWanted()
  await one.agent.sync()
  const links = await host.links()
  assert.equal(links.has(bridgeName(networkId)), false)
  assert.equal(links.has(bridgeName(other)), true)
  assert.equal(await chains(), (both - 2) / 2 + 2)
  two.server.wanted = emptyWanted()
  await two.agent.sync()
  assert.equal(await chains(), 2)
  assert.deepEqual([...((await host.rules('ipv4')).get('filter')?.values() ?? [])].flat(), [])
})

test('a bridge stays while a guest is still on it, and goes when the guest is gone', async () => {
  await using world = await startAgent()
  const { server, host, agent } = world
  server.wanted = { ...emptyWanted(), networks: [aNetwork()], ports: [aPort(1)] }
  await agent.sync()
  host.plugTap(tapName(aPort(1).id), bridgeName(networkId))
  server.wanted = emptyWanted()
  await agent.sync()
  assert.equal((await host.links()).has(bridgeName(networkId)), true)
  host.unplugTap(tapName(aPort(1).id))
  await agent.sync()
  assert.equal((await host.links()).has(bridgeName(networkId)), false)
})

test('a mapped bridge carries its network: guests plugged into the brq bridge are moved to it', async () => {
  await using world = await startAgent({ bridgeMappings: { provider: 'br-provider' } })
  const { server, host, agent } = world
  await host.changeLinks([{ do: 'add-bridge', name: 'br-provider' }])
  server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork({ networkType: 'flat', physicalNetwork: 'provider' })],
    ports: [aPort(1)],
  }
  await agent.sync()
  host.plugTap(tapName(aPort(1).id), bridgeName(networkId))
  await agent.sync()
  assert.equal((await host.links()).get(tapName(aPort(1).id))?.master, 'br-provider')
  assert.equal(server.wanted.ports[0]?.status, 'ACTIVE')
})

test('a network whose NIC is missing leaves the agent at work, and its ports down', async () => {
  await using world = await startAgent({ physicalInterfaceMappings: { provider: 'ens33' } })
  const { server, host, agent } = world
  const other = '33333333-3333-4333-8333-333333333333'
  server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork({ networkType: 'flat', physicalNetwork: 'provider' }), aNetwork({ id: other })],
    ports: [aPort(1), aPort(2, { networkId: other })],
  }
  await agent.sync()
  host.plugTap(tapName(aPort(1).id), bridgeName(networkId))
  host.plugTap(tapName(aPort(2).id), bridgeName(other))
  await agent.sync()
  assert.deepEqual(
    server.wanted.ports.map((port) => port.status),
    ['DOWN', 'ACTIVE'],
  )
})

/** A host whose way out is by eth0, and on which bridges can be given no route. */
class RoutelessBridges extends FakeHost {
  override async changeLinks(changes: readonly LinkChange[], netns?: string): Promise<void> {
    const isRefused = (change: LinkChange) => change.do === 'add-route' && change.name.startsWith('brq')
    await super.changeLinks(
      changes.filter((change) => !isRefused(change)),
      netns,
    )
    // A route goes with the address by which its gateway is reached.
    if (changes.some((change) => change.do === 'remove-address' && change.name === 'eth0')) this.wayOut = []
    if (changes.some((change) => change.do === 'add-route' && change.name === 'eth0')) this.wayOut = [toEth0]
    if (changes.some(isRefused)) throw new Fault('unavailable', 'Network is unreachable')
  }

  wayOut = [toEth0]

  override async routes(): Promise<Route[]> {
    return [...this.wayOut]
  }
}

const toEth0: Route = { destination: 'default', gateway: '192.0.2.1', device: 'eth0' }

test('a NIC whose host would lose its way out is put back as it was, and not tried again', async () => {
  const host = new RoutelessBridges()
  host.addPhysical('eth0', ['192.0.2.2/24'])
  await using world = await startAgent({ physicalInterfaceMappings: { provider: 'eth0' } }, host)
  const { server, agent } = world
  server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork({ networkType: 'flat', physicalNetwork: 'provider' })],
    ports: [aPort(1)],
  }
  await agent.sync()
  const isAsBefore = async () => {
    const eth0 = (await host.links()).get('eth0')
    assert.deepEqual([eth0?.master, eth0?.addresses, host.wayOut], [null, ['192.0.2.2/24'], [toEth0]])
    assert.deepEqual((await host.links()).get(bridgeName(networkId))?.addresses, [])
  }
  await isAsBefore()
  const before = host.changes
  await agent.sync()
  assert.equal(host.changes, before)
  await isAsBefore()
  host.plugTap(tapName(aPort(1).id), bridgeName(networkId))
  await agent.sync()
  assert.equal(server.wanted.ports[0]?.status, 'DOWN')
})

test('guests behind a tunnel are known by forwarding entries', async () => {
  const vxlan = { ...defaultBridgeOptions.vxlan, enabled: true, localIp: '192.0.2.2' }
  await using world = await startAgent({ vxlan })
  const { server, host, agent } = world
  server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork({ networkType: 'vxlan', segmentationId: 77 })],
    ports: [aPort(1)],
    forwarding: [{ networkId, macAddress: 'fa:16:3e:00:00:02', tunnelIp: '192.0.2.3' }],
  }
  await agent.sync()
  assert.equal((await host.links()).get('vxlan-77')?.master, bridgeName(networkId))
  assert.deepEqual(await host.forwarding('vxlan-77'), [
    { macAddress: '00:00:00:00:00:00', destination: '192.0.2.3' },
    { macAddress: 'fa:16:3e:00:00:02', destination: '192.0.2.3' },
  ])
  server.wanted.forwarding = []
  await agent.sync()
  assert.deepEqual(await host.forwarding('vxlan-77'), [])
})

test('the agent reports itself as a Linux bridge agent with its mappings', async () => {
  await using world = await startAgent({ physicalInterfaceMappings: { provider: 'eth1' } })
  await until(() => world.server.reports.length > 0)
  const [report] = world.server.reports
  assert.equal(report?.agentType, 'Linux bridge agent')
  assert.equal(report?.started, true)
  assert.equal(report?.host, 'compute1')
  assert.deepEqual(report?.configurations['interface_mappings'], { provider: 'eth1' })
})
