import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bridgeAgent, dhcpAgent, made, testNetwork } from '../../test-network.ts'

test('agents are listed, switched off, and deleted', async () => {
  await using cloud = await testNetwork()
  assert.deepEqual(await cloud.rpc('reportState', bridgeAgent('one')), { known: false })
  assert.deepEqual(await cloud.rpc('reportState', bridgeAgent('one')), { known: true })
  const [agent] = (await cloud.admin('GET', '/agents?host=one&alive=true')).body.agents
  assert.deepEqual(
    [agent.agent_type, agent.binary, agent.alive, agent.admin_state_up, agent.configurations.tunnel_types],
    ['Linux bridge agent', 'neutron-linuxbridge-agent', true, true, ['vxlan']],
  )
  assert.match(agent.heartbeat_timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  const off = await cloud.admin('PUT', `/agents/${agent.id}`, { agent: { admin_state_up: false } })
  assert.equal(off.body.agent.admin_state_up, false)
  const network = await made(cloud.member, '/networks', 'network', {})
  const port = await cloud.client('admin:blue').createPort({ networkId: network.id, host: 'one' })
  assert.equal(port.vifType, 'binding_failed')
  assert.equal((await cloud.admin('POST', '/agents', { agent: {} })).status, 405)
  assert.equal((await cloud.admin('DELETE', `/agents/${agent.id}`)).status, 204)
  assert.equal((await cloud.admin('GET', `/agents/${agent.id}`)).body.NeutronError.type, 'AgentNotFound')
})

test('networks are given to the DHCP agents that have the fewest, and can be moved by hand', async () => {
  await using cloud = await testNetwork()
  await cloud.rpc('reportState', dhcpAgent('one'))
  await cloud.rpc('reportState', dhcpAgent('two'))
  const agents = (await cloud.admin('GET', '/agents')).body.agents
  const networks: { id: string }[] = []
  for (let index = 0; index < 4; index++) {
    const network = await made(cloud.member, '/networks', 'network', {})
    networks.push(network)
    const subnet = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' }
    await made(cloud.member, '/subnets', 'subnet', subnet)
  }
  const served = async (id: string) =>
    (await cloud.admin('GET', `/agents/${id}/dhcp-networks`)).body.networks.map(
      (network: { id: string }) => network.id,
    )
  const [one, two] = [await served(agents[0].id), await served(agents[1].id)]
  assert.deepEqual([one.length, two.length], [2, 2])
  const [moved] = one
  const path = `/agents/${agents[0].id}/dhcp-networks`
  assert.equal((await cloud.admin('DELETE', `${path}/${moved}`)).status, 204)
  assert.equal((await cloud.admin('DELETE', `${path}/${moved}`)).status, 409)
  const add = (id: string) => cloud.admin('POST', `/agents/${id}/dhcp-networks`, { network_id: moved })
  assert.equal((await add(agents[1].id)).status, 201)
  assert.equal((await add(agents[1].id)).body.NeutronError.type, 'NetworkHostedByDHCPAgent')
  const hosts = await cloud.admin('GET', `/networks/${moved}/dhcp-agents`)
  assert.deepEqual(
    hosts.body.agents.map((agent: { id: string }) => agent.id),
    [agents[1].id],
  )
  assert.equal((await cloud.member('GET', path)).status, 403)
  const zones = await cloud.member('GET', '/availability_zones')
  assert.deepEqual(zones.body, {
    availability_zones: [{ name: 'nova', resource: 'network', state: 'available' }],
  })
  const [shown] = (await cloud.member('GET', `/networks?id=${moved}`)).body.networks
  assert.deepEqual(shown.availability_zones, ['nova'])
})

test('the networks of an agent that died go to another, and ports do not wait for it', async () => {
  let now = Date.now()
  await using cloud = await testNetwork({ clock: { now: () => now } })
  await cloud.rpc('reportState', dhcpAgent('one'))
  await cloud.rpc('reportState', bridgeAgent('one'))
  const network = await made(cloud.member, '/networks', 'network', {})
  await made(cloud.member, '/subnets', 'subnet', {
    network_id: network.id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
  })
  const port = await cloud.client('admin:blue').createPort({ networkId: network.id, host: 'one' })
  await cloud.rpc('portsChanged', { host: 'one', up: [port.id], down: [] })
  const status = async () => (await cloud.client('admin:blue').showPort(port.id)).status
  assert.equal(await status(), 'DOWN')
  now += 100_000
  await cloud.checkDhcp()
  assert.equal(await status(), 'ACTIVE')
  await cloud.rpc('reportState', dhcpAgent('two'))
  await cloud.checkDhcp()
  assert.deepEqual(
    (await cloud.wantedDhcp('two')).map((each) => each.id),
    [network.id],
  )
  assert.deepEqual(await cloud.wantedDhcp('one'), [])
})
