import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { made, type TestNetwork, testNetwork } from '../test-network.ts'

async function withSubnet(cloud: TestNetwork, values: Record<string, unknown>) {
  const network = await made(cloud.member, '/networks', 'network', {})
  const subnet = await made(cloud.member, '/subnets', 'subnet', { network_id: network.id, ...values })
  return { network, subnet }
}

const unlimited = { quotas: {} }

test('a /24 is handed out whole to parallel requests, each address once, and then there are no more', async () => {
  await using cloud = await testNetwork({ options: unlimited })
  const { network } = await withSubnet(cloud, { ip_version: 4, cidr: '10.0.0.0/24' })
  const answers = await Promise.all(
    Array.from({ length: 260 }, () => cloud.member('POST', '/ports', { port: { network_id: network.id } })),
  )
  const fine = answers.filter((answer) => answer.status === 201)
  const addresses = fine.map((answer) => answer.body.port.fixed_ips[0].ip_address)
  assert.equal(fine.length, 253)
  assert.equal(new Set(addresses).size, 253)
  assert.equal(new Set(fine.map((answer) => answer.body.port.mac_address)).size, 253)
  const refused = answers.filter((answer) => answer.status !== 201)
  for (const answer of refused)
    assert.deepEqual([answer.status, answer.body.NeutronError.type], [409, 'IpAddressGenerationFailure'])
  const freed = fine[0]!.body.port
  assert.equal((await cloud.member('DELETE', `/ports/${freed.id}`)).status, 204)
  const again = await made(cloud.member, '/ports', 'port', { network_id: network.id })
  assert.deepEqual(again.fixed_ips, freed.fixed_ips)
})

test('however ports come and go, no two have the same address and all are within the pools', async () => {
  await using cloud = await testNetwork({ options: unlimited })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 5, maxLength: 25 }), async (steps) => {
      const { network } = await withSubnet(cloud, {
        ip_version: 4,
        cidr: '10.0.0.0/28',
        allocation_pools: [
          { start: '10.0.0.2', end: '10.0.0.4' },
          { start: '10.0.0.8', end: '10.0.0.12' },
        ],
      })
      await Promise.all(
        steps.map(async (stays) => {
          const answer = await cloud.member('POST', '/ports', { port: { network_id: network.id } })
          if (!stays && answer.status === 201) await cloud.member('DELETE', `/ports/${answer.body.port.id}`)
        }),
      )
      const { body } = await cloud.member('GET', `/ports?network_id=${network.id}`)
      const last: number[] = body.ports.map((port: { fixed_ips: { ip_address: string }[] }) =>
        Number(port.fixed_ips[0]!.ip_address.split('.')[3]),
      )
      assert.equal(new Set(last).size, last.length)
      assert.ok(last.every((octet) => [2, 3, 4, 8, 9, 10, 11, 12].includes(octet)))
    }),
    { numRuns: 5 },
  )
})

test('an address can be named, once, and must be one of the subnet', async () => {
  await using cloud = await testNetwork()
  const { network, subnet } = await withSubnet(cloud, { ip_version: 4, cidr: '10.0.0.0/24' })
  const ask = async (...fixed_ips: object[]) => {
    const answer = await cloud.member('POST', '/ports', { port: { network_id: network.id, fixed_ips } })
    return answer.status === 201
      ? answer.body.port.fixed_ips.map((ip: { ip_address: string }) => ip.ip_address)
      : `${answer.status} ${answer.body.NeutronError.type}`
  }
  assert.deepEqual(await ask({ ip_address: '10.0.0.9' }), ['10.0.0.9'])
  assert.equal(await ask({ ip_address: '10.0.0.9' }), '409 IpAddressAlreadyAllocated')
  assert.equal(await ask({ ip_address: '10.0.1.9' }), '400 InvalidIpForNetwork')
  assert.equal(await ask({ subnet_id: subnet.id, ip_address: '10.0.1.9' }), '400 InvalidIpForSubnet')
  assert.equal(await ask({ ip_address: '10.0.0.255' }), '400 InvalidIpForNetwork')
  assert.equal(await ask({ ip_address: 'ten' }), '400 HTTPBadRequest')
  assert.equal(await ask({ subnet_id: '00000000-0000-4000-8000-000000000000' }), '404 SubnetNotFound')
  assert.equal((await ask({ subnet_id: subnet.id }, { subnet_id: subnet.id })).length, 2)
  assert.deepEqual(await ask(), [])
})

test('a port on a SLAAC subnet has the address that its host will make of its MAC', async () => {
  await using cloud = await testNetwork()
  const { network } = await withSubnet(cloud, {
    ip_version: 6,
    cidr: 'fd00:1::/64',
    ipv6_ra_mode: 'slaac',
    ipv6_address_mode: 'slaac',
  })
  const port = await made(cloud.member, '/ports', 'port', {
    network_id: network.id,
    mac_address: 'fa:16:3e:00:00:01',
  })
  assert.equal(port.fixed_ips[0].ip_address, 'fd00:1::f816:3eff:fe00:1')
  const twice = [{ subnet_id: port.fixed_ips[0].subnet_id }, { subnet_id: port.fixed_ips[0].subnet_id }]
  const asked = await made(cloud.member, '/ports', 'port', { network_id: network.id, fixed_ips: twice })
  assert.equal(asked.fixed_ips.length, 1)
  const other = await made(cloud.member, '/subnets', 'subnet', {
    network_id: network.id,
    ip_version: 6,
    cidr: 'fd00:2::/64',
    ipv6_ra_mode: 'slaac',
    ipv6_address_mode: 'slaac',
  })
  const { body } = await cloud.member('GET', `/ports/${port.id}`)
  assert.deepEqual(body.port.fixed_ips[1], { subnet_id: other.id, ip_address: 'fd00:2::f816:3eff:fe00:1' })
  const stateful = await made(cloud.member, '/subnets', 'subnet', {
    network_id: network.id,
    ip_version: 6,
    cidr: 'fd00:3::/64',
    ipv6_ra_mode: 'dhcpv6-stateful',
    ipv6_address_mode: 'dhcpv6-stateful',
  })
  const next = await made(cloud.member, '/ports', 'port', { network_id: network.id })
  assert.equal(next.fixed_ips.length, 3)
  assert.ok(next.fixed_ips.some((ip: { subnet_id: string }) => ip.subnet_id === stateful.id))
})

test('an update keeps the addresses that are still wanted', async () => {
  await using cloud = await testNetwork()
  const { network, subnet } = await withSubnet(cloud, { ip_version: 4, cidr: '10.0.0.0/24' })
  const port = await made(cloud.member, '/ports', 'port', { network_id: network.id })
  const [before] = port.fixed_ips
  const put = async (fixed_ips: object[]) =>
    (await cloud.member('PUT', `/ports/${port.id}`, { port: { fixed_ips } })).body.port.fixed_ips
  assert.deepEqual(await put([{ subnet_id: subnet.id }]), [before])
  const both = await put([{ subnet_id: subnet.id }, { ip_address: '10.0.0.77' }])
  assert.deepEqual(both, [before, { subnet_id: subnet.id, ip_address: '10.0.0.77' }])
  assert.deepEqual(await put([{ ip_address: '10.0.0.77' }]), [both[1]])
  assert.deepEqual(await put([]), [])
})
