import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { made, type TestNetwork, testNetwork } from '../../test-network.ts'

async function asking(cloud: TestNetwork) {
  const network = await made(cloud.member, '/networks', 'network', {})
  const ask = async (values: Record<string, unknown>, on = network.id) => {
    const subnet = { network_id: on, ip_version: 4, ...values }
    const answer = await cloud.member('POST', '/subnets', { subnet })
    if (answer.status === 201) return answer.body.subnet
    return `${answer.status} ${answer.body.NeutronError.type}: ${answer.body.NeutronError.message}`
  }
  return { network, ask }
}

test('gateway and pools are the usual ones unless said otherwise', async () => {
  await using cloud = await testNetwork()
  const { ask } = await asking(cloud)
  const shown = async (values: Record<string, unknown>) => {
    const { cidr, gateway_ip, allocation_pools } = await ask(values)
    const pools = allocation_pools.map((pool: { start: string; end: string }) => `${pool.start}-${pool.end}`)
    return [cidr, gateway_ip, ...pools]
  }
  assert.deepEqual(await shown({ cidr: '10.0.0.7/24' }), ['10.0.0.0/24', '10.0.0.1', '10.0.0.2-10.0.0.254'])
  assert.deepEqual(await shown({ cidr: '10.0.1.0/24', gateway_ip: null }), [
    '10.0.1.0/24',
    null,
    '10.0.1.1-10.0.1.254',
  ])
  assert.deepEqual(await shown({ cidr: '10.0.2.0/24', gateway_ip: '10.0.2.100' }), [
    '10.0.2.0/24',
    '10.0.2.100',
    '10.0.2.1-10.0.2.99',
    '10.0.2.101-10.0.2.254',
  ])
  assert.deepEqual(await shown({ cidr: 'fd00::/64', ip_version: 6 }), [
    'fd00::/64',
    'fd00::1',
    'fd00::2-fd00::ffff:ffff:ffff:ffff',
  ])
  assert.deepEqual(await shown({ cidr: '10.0.3.0/31', enable_dhcp: false }), [
    '10.0.3.0/31',
    '10.0.3.0',
    '10.0.3.1-10.0.3.1',
  ])
})

test('what does not fit together is refused with the reason', async () => {
  await using cloud = await testNetwork()
  const { network, ask } = await asking(cloud)
  await ask({ cidr: '10.0.0.0/24' })
  const pool = (start: string, end: string) => ({ start, end })
  const cases: [Record<string, unknown>, RegExp][] = [
    [
      { cidr: '10.0.0.128/25' },
      /^400 InvalidInput: .*10\.0\.0\.128\/25 for network: .* overlaps with another/,
    ],
    [{ cidr: '10.1.0.0/24', ip_version: 6 }, /^400 InvalidInput: .*does not match the ip_version '6'/],
    [{ cidr: '10.1.0.0/33' }, /^400 HTTPBadRequest: Invalid input for cidr/],
    [{ cidr: 'x' }, /^400 InvalidInput: .*x is not in a CIDR format/],
    [{}, /^400 BadRequest: .*a subnetpool must be specified in the absence of a cidr/],
    [{ cidr: '0.0.0.0/0' }, /^400 InvalidInput: .*0 is not allowed as CIDR prefix length/],
    [{ cidr: '10.1.0.0/31' }, /^400 InvalidInput: .*incompatible with DHCP/],
    [{ cidr: '224.0.0.0/24' }, /^400 InvalidInput: .*Multicast/],
    [{ cidr: '127.0.0.0/24' }, /^400 InvalidInput: .*Loopback/],
    [{ cidr: '10.1.0.0/24', gateway_ip: '10.1.0.0' }, /^400 InvalidInput: .*Gateway is not valid on subnet/],
    [{ cidr: '10.1.0.0/24', gateway_ip: 'fd00::1' }, /^400 InvalidInput: .*does not match the ip_version/],
    [
      { cidr: '10.1.0.0/24', allocation_pools: [pool('10.1.0.1', '10.1.0.9')] },
      /^409 GatewayConflictWithAllocationPools/,
    ],
    [{ cidr: '10.1.0.0/24', allocation_pools: [pool('10.1.0.9', '10.1.0.2')] }, /^400 InvalidAllocationPool/],
    [
      { cidr: '10.1.0.0/24', allocation_pools: [pool('10.1.0.9', '10.1.1.2')] },
      /^400 OutOfBoundsAllocationPool/,
    ],
    [
      {
        cidr: '10.1.0.0/24',
        allocation_pools: [pool('10.1.0.9', '10.1.0.12'), pool('10.1.0.12', '10.1.0.14')],
      },
      /^409 OverlappingAllocationPools/,
    ],
    [{ cidr: '10.1.0.0/24', allocation_pools: [{ start: '10.1.0.9' }] }, /^400 .*Expected keys/],
    [{ cidr: '10.1.0.0/24', dns_nameservers: ['a'] }, /^400 .*'a' is not a valid nameserver/],
    [{ cidr: '10.1.0.0/24', dns_nameservers: ['1.1.1.1', '1.1.1.1'] }, /^400 .*Duplicate nameserver/],
    [
      {
        cidr: '10.1.0.0/24',
        dns_nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4', '1.1.1.5', '1.1.1.6'],
      },
      /^400 DNSNameServersExhausted/,
    ],
    [
      { cidr: '10.1.0.0/24', host_routes: [{ destination: '10.2.0.5/16', nexthop: '10.1.0.2' }] },
      /^400 .*is not a recognized CIDR/,
    ],
    [{ cidr: '10.1.0.0/24', ipv6_ra_mode: 'slaac' }, /^400 InvalidInput: .*ipv6_ra_mode is not valid/],
    [{ cidr: 'fd00::/72', ip_version: 6, ipv6_ra_mode: 'slaac' }, /^400 .*requires the prefix to be \/64/],
    [
      {
        cidr: 'fd00::/64',
        ip_version: 6,
        ipv6_ra_mode: 'slaac',
        ipv6_address_mode: 'dhcpv6-stateful',
      },
      /^400 .*they must be the same value/,
    ],
    [
      { cidr: 'fd00::/64', ip_version: 6, ipv6_ra_mode: 'slaac', enable_dhcp: false },
      /^400 .*enable_dhcp is set to False/,
    ],
    [{ cidr: '10.1.0.0/24', prefixlen: 24 }, /^400 BadRequest: .*must not be supplied together/],
  ]
  for (const [values, expected] of cases) assert.match(await ask(values), expected, JSON.stringify(values))
  assert.match(
    await ask({ cidr: '10.1.0.0/24' }, '00000000-0000-4000-8000-000000000000'),
    /^404 NetworkNotFound/,
  )
  const { body } = await cloud.member('GET', `/subnets?network_id=${network.id}`)
  assert.equal(body.subnets.length, 1)
})

test('a subnet with ports on it stays, one without goes with its DHCP', async () => {
  await using cloud = await testNetwork()
  const { network, ask } = await asking(cloud)
  const subnet = await ask({ cidr: '10.0.0.0/24' })
  const port = await made(cloud.member, '/ports', 'port', { network_id: network.id })
  const refused = await cloud.member('DELETE', `/subnets/${subnet.id}`)
  assert.deepEqual([refused.status, refused.body.NeutronError.type], [409, 'SubnetInUse'])
  const inUse = await cloud.member('DELETE', `/networks/${network.id}`)
  assert.deepEqual([inUse.status, inUse.body.NeutronError.type], [409, 'NetworkInUse'])
  assert.match(inUse.body.NeutronError.message, new RegExp(port.id))
  await cloud.member('DELETE', `/ports/${port.id}`)
  assert.equal((await cloud.member('DELETE', `/subnets/${subnet.id}`)).status, 204)
  assert.equal((await cloud.member('GET', `/subnets/${subnet.id}`)).status, 404)
})

test('an update changes what it names and is checked as a creation is', async () => {
  await using cloud = await testNetwork()
  const { ask } = await asking(cloud)
  const subnet = await ask({ cidr: '10.0.0.0/24' })
  const put = (values: Record<string, unknown>) =>
    cloud.member('PUT', `/subnets/${subnet.id}`, { subnet: values })
  const changed = await put({
    name: 'sub',
    dns_nameservers: ['1.1.1.1'],
    allocation_pools: [{ start: '10.0.0.50', end: '10.0.0.60' }],
    gateway_ip: '10.0.0.2',
  })
  assert.equal(changed.status, 200)
  assert.deepEqual(
    [changed.body.subnet.name, changed.body.subnet.gateway_ip, changed.body.subnet.dns_nameservers],
    ['sub', '10.0.0.2', ['1.1.1.1']],
  )
  assert.equal((await put({ gateway_ip: '10.0.0.55' })).status, 409)
  assert.equal((await put({ cidr: '10.0.0.0/25' })).status, 400)
  assert.equal((await put({ gateway_ip: null })).body.subnet.gateway_ip, null)
})

test('subnets are taken out of pools, each prefix once, within the limits of the pool', async () => {
  await using cloud = await testNetwork()
  const { network, ask } = await asking(cloud)
  const pool = await made(cloud.member, '/subnetpools', 'subnetpool', {
    name: 'pool',
    prefixes: ['10.8.0.0/23', '10.10.0.0/24', '10.11.0.0/24'],
    default_prefixlen: 24,
    min_prefixlen: 22,
    max_prefixlen: 26,
    default_quota: 1024,
  })
  const vast = { name: 'vast', prefixes: ['10.12.0.0/24'], default_quota: 2 ** 53 }
  assert.equal((await cloud.member('POST', '/subnetpools', { subnetpool: vast })).status, 400)
  assert.deepEqual(pool.prefixes, ['10.8.0.0/23', '10.10.0.0/24', '10.11.0.0/24'])
  const from = { subnetpool_id: pool.id }
  const parallel = await Promise.all([ask(from), ask(from)])
  assert.deepEqual(parallel.map((subnet) => subnet.cidr).sort(), ['10.8.0.0/24', '10.8.1.0/24'])
  assert.equal((await ask({ ...from, prefixlen: 25 })).cidr, '10.10.0.0/25')
  assert.equal((await ask({ ...from, cidr: '10.11.0.64/26' })).cidr, '10.11.0.64/26')
  assert.match(await ask({ ...from, cidr: '10.11.0.64/26' }), /^409 SubnetAllocationError/)
  assert.match(await ask({ ...from, prefixlen: 24 }), /^409 SubnetAllocationError/)
  assert.match(await ask({ ...from, prefixlen: 27 }), /^400 MaxPrefixSubnetAllocationError/)
  assert.match(await ask({ ...from, prefixlen: 20 }), /^400 MinPrefixSubnetAllocationError/)
  assert.match(await ask({ cidr: '172.16.0.0/24' }), /^400 NetworkSubnetPoolAffinityError/)
  assert.match(await ask({ use_default_subnetpool: true }), /^400 BadRequest: .*No default subnetpool/)
  assert.equal((await cloud.member('DELETE', `/subnetpools/${pool.id}`)).status, 400)
  const act = (name: string, prefixes: string[]) =>
    cloud.member('PUT', `/subnetpools/${pool.id}/${name}`, { prefixes })
  assert.deepEqual((await act('add_prefixes', ['10.12.0.0/24'])).body.prefixes.at(-1), '10.12.0.0/24')
  assert.equal((await act('remove_prefixes', ['10.8.0.0/24'])).status, 400)
  assert.deepEqual((await act('remove_prefixes', ['10.12.0.0/25'])).body.prefixes.at(-1), '10.12.0.128/25')
  const shrunk = await cloud.member('PUT', `/subnetpools/${pool.id}`, {
    subnetpool: { prefixes: ['10.8.0.0/23'] },
  })
  assert.deepEqual([shrunk.status, shrunk.body.NeutronError.type], [400, 'IllegalSubnetPoolPrefixUpdate'])
  assert.equal((await cloud.member('DELETE', `/networks/${network.id}`)).status, 204)
  assert.equal((await cloud.member('DELETE', `/subnetpools/${pool.id}`)).status, 204)
})

test('pools of one address scope have no prefix in common', async () => {
  await using cloud = await testNetwork()
  const scope = await made(cloud.member, '/address-scopes', 'address_scope', { name: 'scope', ip_version: 4 })
  const ask = (values: object) =>
    cloud.member('POST', '/subnetpools', { subnetpool: { name: 'p', address_scope_id: scope.id, ...values } })
  assert.equal((await ask({ prefixes: ['10.0.0.0/8'] })).status, 201)
  assert.equal(
    (await ask({ prefixes: ['10.9.0.0/16'] })).body.NeutronError.type,
    'AddressScopePrefixConflict',
  )
  assert.equal((await ask({ prefixes: ['fd00::/48'] })).status, 400)
  assert.equal(
    (await ask({ prefixes: ['fd00::/48', '10.0.0.0/8'] })).body.NeutronError.type,
    'PrefixVersionMismatch',
  )
  const inUse = await cloud.member('DELETE', `/address-scopes/${scope.id}`)
  assert.deepEqual([inUse.status, inUse.body.NeutronError.type], [409, 'AddressScopeInUse'])
})

test("subnets that are there become a pool's, with their prefixes, by who owns their network", async () => {
  await using cloud = await testNetwork()
  const scope = await made(cloud.member, '/address-scopes', 'address_scope', { name: 'scope', ip_version: 4 })
  const pool = await made(cloud.member, '/subnetpools', 'subnetpool', {
    name: 'pool',
    address_scope_id: scope.id,
    prefixes: ['10.8.0.0/16'],
  })
  const network = await made(cloud.member, '/networks', 'network', {})
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.20.0.0/24' }
  const { id } = await made(cloud.member, '/subnets', 'subnet', subnet)
  await made(cloud.member, '/subnets', 'subnet', { ...subnet, ip_version: 6, cidr: '2001:db8::/64' })
  const onboard = async (body: object, who = cloud.member) => {
    const answer = await who('PUT', `/subnetpools/${pool.id}/onboard_network_subnets`, body)
    return answer.status === 200 ? answer.body : `${answer.status} ${answer.body.NeutronError.type}`
  }
  assert.equal(await onboard({}), '400 InvalidInput')
  assert.equal(await onboard({ network_id: randomUUID() }), '404 NetworkNotFound')
  assert.deepEqual(await onboard({ network_id: network.id }), [{ id, cidr: '10.20.0.0/24' }])
  assert.equal((await cloud.member('GET', `/subnets/${id}`)).body.subnet.subnetpool_id, pool.id)
  const { prefixes } = (await cloud.member('GET', `/subnetpools/${pool.id}`)).body.subnetpool
  assert.deepEqual(prefixes, ['10.8.0.0/16', '10.20.0.0/24'])
  assert.equal(await onboard({ network_id: network.id }), '400 IllegalSubnetPoolUpdate')
  // What another pool of the scope has cannot be added, by whatever way.
  const other = { name: 'other', address_scope_id: scope.id, prefixes: ['10.30.0.0/16'] }
  await made(cloud.member, '/subnetpools', 'subnetpool', other)
  const second = await made(cloud.member, '/networks', 'network', {})
  await made(cloud.member, '/subnets', 'subnet', { ...subnet, network_id: second.id, cidr: '10.30.1.0/24' })
  assert.equal(await onboard({ network_id: second.id }), '409 AddressScopePrefixConflict')
  const added = await cloud.member('PUT', `/subnetpools/${pool.id}/add_prefixes`, {
    prefixes: ['10.30.1.0/24'],
  })
  assert.equal(added.status, 409)
  const common = await made(cloud.admin, '/networks', 'network', { shared: true })
  assert.equal(await onboard({ network_id: common.id }), '403 NotAuthorized')
})
