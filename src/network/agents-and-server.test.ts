/** The simulated agents with the real server: what a user's request becomes on hosts, and what comes back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until as shortly } from '#testing/until.ts'
import { silentLogger } from '../base/log.ts'
import { FakeHost } from '../linux/fake/fake-host.ts'
import { defaultBridgeOptions } from './agents/bridge/options.ts'
import { startBridgeAgent } from './agents/bridge/start-bridge-agent.ts'
import { type Daemons, simulatedDaemons } from './agents/dhcp/daemons.ts'
import { defaultDhcpOptions } from './agents/dhcp/options.ts'
import { startDhcpAgent } from './agents/dhcp/start-dhcp-agent.ts'
import { bridgeName, dhcpNamespace, tapName } from './agents/names.ts'
import { made, type TestNetwork, testNetwork } from './test-network.ts'

interface TestHost {
  host: FakeHost
  daemons: Daemons
}

/** Hosts that run both agents; their tunnels end at 192.0.2.1, 192.0.2.2, … */
async function startHosts(cloud: TestNetwork, names: readonly string[], undo: AsyncDisposableStack) {
  const hosts = new Map<string, TestHost>()
  for (const [index, hostName] of names.entries()) {
    const host = new FakeHost()
    const daemons = simulatedDaemons()
    const deps = { bus: cloud.bus, host, hostName, log: silentLogger, cloudId: 'default' }
    const vxlan = { ...defaultBridgeOptions.vxlan, enabled: true, localIp: `192.0.2.${index + 1}` }
    undo.use(await startBridgeAgent({ ...deps, options: { ...defaultBridgeOptions, vxlan } }))
    const options = { ...defaultDhcpOptions, stateDirectory: '/none', metadataProxySocket: '/none' }
    undo.use(await startDhcpAgent({ ...deps, daemons, options }))
    hosts.set(hostName, { host, daemons })
  }
  const known = () => cloud.db.selectFrom('agents').select('id').execute()
  await until(async () => (await known()).length === 2 * names.length)
  return hosts
}

const until = (what: () => Promise<boolean>): Promise<true> =>
  shortly(async () => ((await what()) ? true : undefined), String(what))

async function aNetworkWithSubnet(cloud: TestNetwork) {
  const network = await made(cloud.member, '/networks', 'network', { name: 'net' })
  await made(cloud.member, '/subnets', 'subnet', {
    network_id: network.id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
  })
  return network
}

const boundPort = (cloud: TestNetwork, networkId: string, host: string, deviceId: string) =>
  cloud.client('admin:blue').createPort({ networkId, host, deviceId, deviceOwner: 'compute:nova' })

const statusOf = async (cloud: TestNetwork, id: string) =>
  (await cloud.admin('GET', `/ports/${id}`)).body.port.status

test('a bound port becomes ACTIVE when its guest is plugged, DOWN when it ends, and leaves nothing', async () => {
  await using undo = new AsyncDisposableStack()
  const cloud = undo.use(await testNetwork())
  const hosts = await startHosts(cloud, ['one'], undo)
  const { host, daemons } = hosts.get('one')!
  const network = await aNetworkWithSubnet(cloud)
  const port = await boundPort(cloud, network.id, 'one', 'server-1')
  const tap = tapName(port.id)
  await until(async () => (await host.links()).has(bridgeName(network.id)))
  host.plugTap(tap, bridgeName(network.id))
  await until(async () => (await statusOf(cloud, port.id)) === 'ACTIVE')
  assert.deepEqual(await daemons.served(), [network.id])
  const inside = [...(await host.links(dhcpNamespace(network.id))).values()]
  assert.ok(inside.some((link) => link.addresses.some((address) => address.startsWith('10.0.0.'))))

  host.unplugTap(tap)
  await until(async () => (await statusOf(cloud, port.id)) === 'DOWN')
  host.plugTap(tap, bridgeName(network.id))
  await until(async () => (await statusOf(cloud, port.id)) === 'ACTIVE')

  await cloud.client('admin:blue').deletePort(port.id)
  host.unplugTap(tap)
  assert.equal((await cloud.member('DELETE', `/networks/${network.id}`)).status, 204)
  await until(async () => (await host.namespaces()).length === 0 && (await host.links()).size === 0)
  assert.deepEqual(await daemons.served(), [])
  assert.deepEqual([...((await host.rules('ipv4')).get('filter')?.keys() ?? [])], ['INPUT', 'FORWARD'])
})

test('a port that is bound anew becomes ACTIVE again though its guest never left', async () => {
  await using undo = new AsyncDisposableStack()
  const cloud = undo.use(await testNetwork())
  const hosts = await startHosts(cloud, ['one'], undo)
  const { host } = hosts.get('one')!
  const network = await aNetworkWithSubnet(cloud)
  const port = await boundPort(cloud, network.id, 'one', 'server-1')
  host.plugTap(tapName(port.id), bridgeName(network.id))
  await until(async () => (await statusOf(cloud, port.id)) === 'ACTIVE')
  for (const binding of ['', 'one']) {
    const body = { port: { 'binding:host_id': binding } }
    assert.equal((await cloud.admin('PUT', `/ports/${port.id}`, body)).status, 200)
  }
  await until(async () => (await statusOf(cloud, port.id)) === 'ACTIVE')
})

test('guests on two hosts know each other’s tunnels, and remote groups are sets on both', async () => {
  await using undo = new AsyncDisposableStack()
  const cloud = undo.use(await testNetwork())
  const hosts = await startHosts(cloud, ['one', 'two'], undo)
  const network = await aNetworkWithSubnet(cloud)
  const first = await boundPort(cloud, network.id, 'one', 'server-1')
  const second = await boundPort(cloud, network.id, 'two', 'server-2')
  const { host } = hosts.get('one')!
  const vxlan = await (async () => {
    let name: string | undefined
    await until(async () => {
      name = [...(await host.links()).keys()].find((link) => link.startsWith('vxlan-'))
      return name !== undefined
    })
    return name!
  })()
  await until(async () =>
    (await host.forwarding(vxlan)).some(
      (entry) => entry.macAddress === second.macAddress && entry.destination === '192.0.2.2',
    ),
  )
  const addresses = [first, second].map((port) => port.fixedIps[0]!.ipAddress)
  await until(async () =>
    [...(await host.sets()).values()].some((set) => addresses.every((address) => set.entries.has(address))),
  )
})
