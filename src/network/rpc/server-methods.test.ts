import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { bridgeAgent, dhcpAgent, made, type TestNetwork, testNetwork } from '../test-network.ts'
import type { Changed } from './agents.ts'

async function withNetwork(cloud: TestNetwork) {
  const network = await made(cloud.member, '/networks', 'network', { name: 'net' })
  const subnet = await made(cloud.member, '/subnets', 'subnet', {
    network_id: network.id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
  })
  return { network, subnet }
}

const status = async (cloud: TestNetwork, id: string) =>
  (await cloud.admin('GET', `/ports/${id}`)).body.port.status

/** Waits until so many events have been sent. */
async function eventsOf(cloud: TestNetwork, count: number) {
  while (cloud.events.length < count) await new Promise(setImmediate)
  return cloud.events.map((event) => event.name)
}

test('a port is bound where an agent reaches its network, and ACTIVE when wired and known to DHCP', async () => {
  await using cloud = await testNetwork()
  await cloud.rpc('reportState', bridgeAgent('one'))
  await cloud.rpc('reportState', dhcpAgent('one'))
  const { network, subnet } = await withNetwork(cloud)
  const server = randomUUID()
  const port = await cloud.client('admin:blue').createPort({
    networkId: network.id,
    host: 'one',
    deviceId: server,
    deviceOwner: 'compute:nova',
  })
  assert.equal(port.vifType, 'bridge')
  assert.deepEqual(port.vifDetails, {
    bridge_name: `brq${network.id.slice(0, 11)}`,
    port_filter: true,
    connectivity: 'l2',
  })
  const wanted = await cloud.wantedL2('one')
  assert.deepEqual(
    wanted.ports.map((each) => [each.id, each.fixedIps[0]?.prefixLength]),
    [[port.id, 24]],
  )
  assert.equal(wanted.networks[0]?.networkType, 'vxlan')
  const group = port.securityGroupIds[0]!
  assert.equal(wanted.securityGroups[group]?.rules.length, 4)
  assert.deepEqual(wanted.members, [
    { groupId: group, portId: port.id, addresses: [`${port.fixedIps[0]!.ipAddress}/32`] },
  ])
  await cloud.rpc('portsChanged', { host: 'one', up: [port.id], down: [] })
  assert.equal(await status(cloud, port.id), 'DOWN')
  const [served] = await cloud.wantedDhcp('one')
  assert.deepEqual(
    served?.ports.map((each) => each.id),
    [port.id],
  )
  assert.equal(served?.dhcpPort, null)
  const dhcpPort = await cloud.rpc('ensureDhcpPort', { host: 'one', networkId: network.id })
  assert.equal(dhcpPort.fixedIps[0]?.subnetId, subnet.id)
  assert.deepEqual(await cloud.rpc('ensureDhcpPort', { host: 'one', networkId: network.id }), dhcpPort)
  await cloud.rpc('dhcpReady', { portIds: [port.id] })
  assert.equal(await status(cloud, port.id), 'ACTIVE')
  assert.deepEqual(await eventsOf(cloud, 1), ['network-vif-plugged'])
  assert.deepEqual(cloud.events[0], {
    name: 'network-vif-plugged',
    server_uuid: server,
    tag: port.id,
    status: 'completed',
  })
  assert.deepEqual(
    await cloud.rpc('findPort', { networkId: network.id, ipAddress: port.fixedIps[0]!.ipAddress }),
    { deviceId: server, projectId: 'blue' },
  )
  await cloud.rpc('portsChanged', { host: 'one', up: [], down: [port.id] })
  assert.equal(await status(cloud, port.id), 'DOWN')
  await cloud.rpc('portsChanged', { host: 'one', up: [port.id], down: [] })
  await cloud.client('admin:blue').deletePort(port.id)
  assert.deepEqual(await eventsOf(cloud, 4), [
    'network-vif-plugged',
    'network-vif-unplugged',
    'network-vif-plugged',
    'network-vif-deleted',
  ])
  const gone = await cloud.member('DELETE', `/networks/${network.id}`)
  assert.equal(gone.status, 204)
  assert.deepEqual(await cloud.wantedDhcp('one'), [])
})

test('where no agent lives or reaches the network a binding fails, and is made good when the agent comes', async () => {
  await using cloud = await testNetwork()
  const { network } = await withNetwork(cloud)
  const client = cloud.client('admin:blue')
  const port = await client.createPort({ networkId: network.id, host: 'late', deviceOwner: 'compute:nova' })
  assert.equal(port.vifType, 'binding_failed')
  assert.deepEqual((await cloud.wantedL2('late')).ports, [])
  await cloud.rpc('reportState', bridgeAgent('late'))
  assert.equal((await client.showPort(port.id)).vifType, 'bridge')
  await cloud.rpc('reportState', bridgeAgent('far', { tunnel_types: [] }))
  assert.equal((await client.updatePort(port.id, { host: 'far' })).vifType, 'binding_failed')
  const unbound = await client.unbindPort(port.id)
  assert.deepEqual([unbound.host, unbound.vifType, unbound.deviceId], ['', 'unbound', ''])
})

test('hosts that share a tunnelled network learn where the ports of each other are', async () => {
  await using cloud = await testNetwork()
  await cloud.rpc('reportState', bridgeAgent('one', { tunneling_ip: '192.0.2.1' }))
  await cloud.rpc('reportState', bridgeAgent('two', { tunneling_ip: '192.0.2.2' }))
  const { network } = await withNetwork(cloud)
  const client = cloud.client('admin:blue')
  await client.createPort({ networkId: network.id, host: 'one', deviceOwner: 'compute:nova' })
  const far = await client.createPort({ networkId: network.id, host: 'two', deviceOwner: 'compute:nova' })
  const wanted = await cloud.wantedL2('one')
  assert.deepEqual(wanted.remotePorts, [
    { portId: far.id, networkId: network.id, macAddress: far.macAddress, tunnelIp: '192.0.2.2' },
  ])
})

test('agents are woken after a change, each with the hosts it concerns', async () => {
  await using cloud = await testNetwork()
  await cloud.rpc('reportState', bridgeAgent('one'))
  const woken: (readonly string[])[] = []
  await using _agent = await cloud.bus.serve(
    { topic: 'q-agent-notifier', server: 'one' },
    { changed: ({ hosts }: Changed) => void (hosts !== undefined && woken.push(hosts)) },
  )
  const { network } = await withNetwork(cloud)
  await cloud.client('admin:blue').createPort({ networkId: network.id, host: 'one' })
  while (woken.length === 0) await new Promise(setImmediate)
  assert.deepEqual(woken[0], ['one'])
})

test('events that compute does not take are sent again, in order', async () => {
  const taken: string[] = []
  let away = true
  await using cloud = await testNetwork({
    sendEvents: async (events) => {
      if (away) {
        away = false
        throw new Error('connection refused')
      }
      taken.push(...events.map((event) => event.name))
    },
  })
  await cloud.rpc('reportState', bridgeAgent('one'))
  const { network } = await withNetwork(cloud)
  const port = await cloud.client('admin:blue').createPort({
    networkId: network.id,
    host: 'one',
    deviceId: randomUUID(),
    deviceOwner: 'compute:nova',
  })
  await cloud.rpc('portsChanged', { host: 'one', up: [port.id], down: [] })
  await cloud.rpc('portsChanged', { host: 'one', up: [], down: [port.id] })
  while (taken.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(taken, ['network-vif-plugged', 'network-vif-unplugged'])
})

test('a server without security groups says so of its ports to compute and to agents', async () => {
  await using cloud = await testNetwork({ options: { enableSecurityGroup: false } })
  await cloud.rpc('reportState', bridgeAgent('one'))
  const { network } = await withNetwork(cloud)
  const port = await cloud.client('admin:blue').createPort({ networkId: network.id, host: 'one' })
  assert.equal(port.vifDetails['port_filter'], false)
  assert.deepEqual(port.securityGroupIds, [])
  const [wanted] = (await cloud.wantedL2('one')).ports
  assert.equal(wanted?.packetFilter, false)
  assert.equal(wanted?.portSecurityEnabled, true)
})
