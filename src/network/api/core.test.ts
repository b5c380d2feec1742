import assert from 'node:assert/strict'
import { test } from 'node:test'
import { made, testNetwork } from '../test-network.ts'

test('a project makes a network, a subnet and a port, and gets its default security group', async () => {
  await using cloud = await testNetwork()
  const network = await made(cloud.member, '/networks', 'network', { name: 'net' })
  assert.equal(network.project_id, 'blue')
  assert.equal(network.tenant_id, 'blue')
  assert.equal(network.mtu, 1450)
  assert.equal(network.status, 'ACTIVE')
  assert.equal('provider:network_type' in network, false)
  const subnet = await made(cloud.member, '/subnets', 'subnet', {
    network_id: network.id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
  })
  assert.equal(subnet.gateway_ip, '10.0.0.1')
  assert.deepEqual(subnet.allocation_pools, [{ start: '10.0.0.2', end: '10.0.0.254' }])
  const port = await made(cloud.member, '/ports', 'port', { network_id: network.id })
  assert.match(port.mac_address, /^fa:16:3e:/)
  assert.equal(port.fixed_ips.length, 1)
  assert.equal(port.status, 'DOWN')
  assert.equal('binding:host_id' in port, false)
  assert.equal(port['binding:vnic_type'], 'normal')
  const groups = await cloud.member('GET', '/security-groups')
  assert.deepEqual(port.security_groups, [groups.body.security_groups[0].id])
  const rules = groups.body.security_groups[0].security_group_rules
  assert.equal(rules.length, 4)
  const shown = await cloud.member('GET', `/networks/${network.id}`)
  assert.deepEqual(shown.body.network.subnets, [subnet.id])
})

test('another project sees nothing of it, and without a token nobody does', async () => {
  await using cloud = await testNetwork()
  const network = await made(cloud.member, '/networks', 'network', { name: 'net' })
  const stranger = cloud.as('member:red')
  assert.equal((await stranger('GET', `/networks/${network.id}`)).status, 404)
  assert.equal((await stranger('PUT', `/networks/${network.id}`, { network: { name: 'x' } })).status, 404)
  assert.equal((await stranger('DELETE', `/networks/${network.id}`)).status, 404)
  assert.deepEqual((await stranger('GET', '/networks')).body, { networks: [] })
  const port = await stranger('POST', '/ports', { port: { network_id: network.id } })
  assert.deepEqual([port.status, port.body.NeutronError.type], [404, 'NetworkNotFound'])
  const nobody = await cloud.as('')('GET', '/networks')
  assert.equal(nobody.status, 401)
  assert.equal(
    (await cloud.admin('GET', `/networks/${network.id}`)).body.network['provider:network_type'],
    'vxlan',
  )
})
