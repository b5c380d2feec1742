import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { bridgeAgent, made, type TestNetwork, testNetwork } from '../../test-network.ts'

async function asking(cloud: TestNetwork) {
  const network = await made(cloud.member, '/networks', 'network', {})
  await made(cloud.member, '/subnets', 'subnet', {
    network_id: network.id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
  })
  const ask = async (values: Record<string, unknown>) => {
    const answer = await cloud.member('POST', '/ports', { port: { network_id: network.id, ...values } })
    return answer.status === 201 ? answer.body.port : `${answer.status} ${answer.body.NeutronError.type}`
  }
  return { network, ask }
}

test('a MAC address is given once on a network, in any spelling, and can be made anew', async () => {
  await using cloud = await testNetwork()
  const { ask } = await asking(cloud)
  const port = await ask({ mac_address: 'FA-16-3E-00-00-01' })
  assert.equal(port.mac_address, 'fa:16:3e:00:00:01')
  assert.equal(await ask({ mac_address: 'fa:16:3e:00:00:01' }), '409 MacAddressInUse')
  assert.equal(await ask({ mac_address: 'ff:ff:ff:ff:ff:ff' }), '400 HTTPBadRequest')
  // Neutron takes addresses of groups, with which no guest would start.
  assert.equal((await ask({ mac_address: '11:22:33:44:55:66' })).mac_address, '11:22:33:44:55:66')
  const change = (mac_address: string | null) =>
    cloud.admin('PUT', `/ports/${port.id}`, { port: { mac_address } })
  const fresh = (await change(null)).body.port.mac_address
  assert.match(fresh, /^fa:16:3e:/)
  assert.notEqual(fresh, port.mac_address)
  const found = await cloud.member('GET', `/ports?mac_address=${fresh.toUpperCase()}`)
  assert.equal(found.body.ports.length, 1)
})

test('address pairs and security groups want port security', async () => {
  await using cloud = await testNetwork()
  const { ask } = await asking(cloud)
  const pair = { ip_address: '10.0.0.77/24' }
  const port = await ask({ allowed_address_pairs: [pair] })
  assert.deepEqual(port.allowed_address_pairs, [
    { mac_address: port.mac_address, ip_address: '10.0.0.77/24' },
  ])
  assert.equal(
    await ask({ allowed_address_pairs: [pair], port_security_enabled: false }),
    '409 AddressPairAndPortSecurityRequired',
  )
  assert.equal(await ask({ allowed_address_pairs: [pair, pair] }), '400 DuplicateAddressPairInRequest')
  assert.equal(await ask({ allowed_address_pairs: [{}] }), '400 AllowedAddressPairsMissingIP')
  assert.equal(await ask({ allowed_address_pairs: {} }), '400 HTTPBadRequest')
  const many = Array.from({ length: 11 }, (_, index) => ({ ip_address: `10.0.0.${index}` }))
  assert.equal(await ask({ allowed_address_pairs: many }), '400 AllowedAddressPairExhausted')
  const open = await ask({ port_security_enabled: false })
  assert.deepEqual([open.security_groups, open.port_security_enabled], [[], false])
  const put = (values: object) => cloud.member('PUT', `/ports/${port.id}`, { port: values })
  assert.equal((await put({ port_security_enabled: false })).status, 409)
  const off = { port_security_enabled: false, security_groups: [], allowed_address_pairs: [] }
  assert.equal((await put(off)).status, 200)
  const group = (await cloud.member('GET', '/security-groups')).body.security_groups[0].id
  const refused = await put({ security_groups: [group] })
  assert.equal(refused.body.NeutronError.type, 'PortSecurityAndIPRequiredForSecurityGroups')
})

test('a new port is shown as it is shown from then on', async () => {
  await using cloud = await testNetwork({ options: { dnsDomain: 'example.org.' } })
  await cloud.rpc('reportState', bridgeAgent('one'))
  const { network } = await asking(cloud)
  const extra = { allowed_address_pairs: [{ ip_address: '10.0.0.77' }] }
  const bound = { 'binding:host_id': 'one', 'binding:profile': { a: 1 }, dns_name: 'web', name: 'p' }
  const wishes = [{}, { fixed_ips: [] }, bound, extra, { port_security_enabled: false, description: 'd' }]
  for (const who of [cloud.admin, cloud.as('admin:blue'), cloud.member]) {
    const allowed = who === cloud.member ? wishes.filter((wish) => wish !== bound) : wishes
    const ports = allowed.map((wish) => ({ network_id: network.id, ...wish }))
    const answer = await who('POST', '/ports', { ports })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    for (const port of answer.body.ports)
      assert.deepEqual((await who('GET', `/ports/${port.id}`)).body, { port })
  }
})

test('DHCP options are merged by name, and removed by null', async () => {
  await using cloud = await testNetwork()
  const { ask } = await asking(cloud)
  const port = await ask({
    extra_dhcp_opts: [
      { opt_name: 'bootfile-name', opt_value: 'a' },
      { opt_name: 'mtu', opt_value: '1400' },
    ],
  })
  assert.deepEqual(port.extra_dhcp_opts.map((option: { opt_name: string }) => option.opt_name).sort(), [
    'bootfile-name',
    'mtu',
  ])
  const extra_dhcp_opts = [
    { opt_name: 'mtu', opt_value: null },
    { opt_name: 'bootfile-name', opt_value: 'b' },
  ]
  const changed = await cloud.member('PUT', `/ports/${port.id}`, { port: { extra_dhcp_opts } })
  assert.deepEqual(changed.body.port.extra_dhcp_opts, [
    { opt_name: 'bootfile-name', opt_value: 'b', ip_version: 4 },
  ])
  assert.equal(await ask({ extra_dhcp_opts: [{ opt_name: 'x' }] }), '400 HTTPBadRequest')
})

test('a port has its name in DNS, or one made of its address', async () => {
  await using cloud = await testNetwork({ options: { dnsDomain: 'example.org.' } })
  const { ask } = await asking(cloud)
  const named = await ask({ dns_name: 'Web', fixed_ips: [{ ip_address: '10.0.0.9' }] })
  assert.deepEqual(named.dns_assignment, [
    { ip_address: '10.0.0.9', hostname: 'web', fqdn: 'web.example.org.' },
  ])
  const plain = await ask({ fixed_ips: [{ ip_address: '10.0.0.10' }] })
  assert.equal(plain.dns_assignment[0].fqdn, 'host-10-0-0-10.example.org.')
  const found = await cloud.client('admin:blue').listPorts({ fixedIp: '10.0.0.9' })
  assert.deepEqual(
    found.map((port) => port.id),
    [named.id],
  )
  assert.equal(await ask({ dns_name: '-a-' }), '400 HTTPBadRequest')
})

test('compute is told of changed addresses of its ports only', async () => {
  await using cloud = await testNetwork()
  await cloud.rpc('reportState', bridgeAgent('one'))
  const { network } = await asking(cloud)
  const client = cloud.client('admin:blue')
  const server = randomUUID()
  const port = await client.createPort({
    networkId: network.id,
    deviceId: server,
    deviceOwner: 'compute:nova',
    host: 'one',
  })
  const other = await client.createPort({ networkId: network.id })
  // Not what either of them was given: those are any.
  const given = new Set([...port.fixedIps, ...other.fixedIps].map((ip) => ip.ipAddress))
  const [first, second] = ['10.0.0.200', '10.0.0.201', '10.0.0.202', '10.0.0.203'].filter(
    (ip) => !given.has(ip),
  )
  await client.updatePort(other.id, { fixedIps: [{ ipAddress: first! }] })
  await client.updatePort(port.id, { fixedIps: [{ ipAddress: second! }] })
  while (cloud.events.length === 0) await new Promise(setImmediate)
  assert.deepEqual(cloud.events, [{ name: 'network-changed', server_uuid: server, tag: port.id }])
  const [network1] = await client.networksOf(server)
  assert.deepEqual(
    [network1?.port.id, network1?.network.id, network1?.subnets[0]?.cidr],
    [port.id, network.id, '10.0.0.0/24'],
  )
  assert.equal((await client.listPorts({ host: 'one' })).length, 1)
})

test('a port keeps the NUMA policy that it is given, and shows none before', async () => {
  await using cloud = await testNetwork()
  const { ask } = await asking(cloud)
  const plain = await ask({})
  assert.equal(plain.numa_affinity_policy, null)
  assert.equal((await ask({ numa_affinity_policy: 'required' })).numa_affinity_policy, 'required')
  assert.equal(await ask({ numa_affinity_policy: 'near' }), '400 HTTPBadRequest')
  const change = (numa_affinity_policy: string | null) =>
    cloud.member('PUT', `/ports/${plain.id}`, { port: { numa_affinity_policy } })
  assert.equal((await change('preferred')).body.port.numa_affinity_policy, 'preferred')
  assert.equal((await change(null)).body.port.numa_affinity_policy, null)
  const { extensions } = (await cloud.member('GET', '/extensions')).body
  const aliases = extensions.map(({ alias }: { alias: string }) => alias)
  assert.ok(aliases.includes('port-numa-affinity-policy') && aliases.includes('agent-resources-synced'))
})
