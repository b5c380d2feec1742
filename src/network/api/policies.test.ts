import assert from 'node:assert/strict'
import { test } from 'node:test'
import { methodAndPath } from '../../base/http/table.ts'
import { defaultNetworkOptions } from '../config.ts'
import { made, testNetwork } from '../test-network.ts'
import { networkPolicies } from './policies.ts'
import { networkRoutes } from './routes.ts'

const someId = '00000000-0000-4000-8000-000000000000'
const routes = networkRoutes(defaultNetworkOptions)
const urlOf = (path: string) => path.replaceAll(/:(\w+)/g, someId)

test('every route but the versions wants a token', async () => {
  await using cloud = await testNetwork()
  for (const route of routes) {
    const [method, path] = methodAndPath(route)
    if (path === '/') continue
    const reply = await cloud.app.inject({ method, url: urlOf(path) })
    assert.equal(reply.statusCode, 401, `${method} ${path}`)
  }
  assert.equal((await cloud.app.inject({ url: '/' })).statusCode, 200)
})

test('every rule that a route names is there, and every resource has its rules', () => {
  for (const route of routes) {
    if (route.policy !== null) assert.ok(route.policy in networkPolicies, route.policy)
  }
})

test('a stranger gets 404 for whatever belongs to another project', async () => {
  await using cloud = await testNetwork()
  const stranger = cloud.as('member:red')
  const network = await made(cloud.member, '/networks', 'network', {})
  const things: [string, string, string][] = [['networks', 'network', network.id]]
  const make = async (path: string, key: string, values: Record<string, unknown>) => {
    const thing = await made(cloud.member, `/${path}`, key, values)
    things.push([path, key, thing.id])
    return thing
  }
  await make('subnets', 'subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' })
  await make('ports', 'port', { network_id: network.id })
  await make('subnetpools', 'subnetpool', { name: 'pool', prefixes: ['10.0.0.0/8'] })
  await make('address-scopes', 'address_scope', { ip_version: 4 })
  await make('address-groups', 'address_group', {})
  const group = await make('security-groups', 'security_group', { name: 'web' })
  await make('security-group-rules', 'security_group_rule', {
    security_group_id: group.id,
    direction: 'ingress',
  })
  await make('rbac-policies', 'rbac_policy', {
    object_type: 'security_group',
    object_id: group.id,
    action: 'access_as_shared',
    target_tenant: 'green',
  })
  for (const [path, key, id] of things) {
    const statuses = [
      (await stranger('GET', `/${path}/${id}`)).status,
      (await stranger('DELETE', `/${path}/${id}`)).status,
      key === 'security_group_rule'
        ? 404
        : (await stranger('PUT', `/${path}/${id}`, { [key]: key === 'rbac_policy' ? {} : { name: 'x' } }))
            .status,
    ]
    assert.deepEqual(statuses, [404, 404, 404], path)
    assert.equal((await cloud.member('GET', `/${path}/${id}`)).status, 200, path)
    const listed = await stranger('GET', `/${path}?id=${id}`)
    assert.deepEqual(Object.values(listed.body), [[]], path)
  }
})

test('what only admins may send is refused with 403, and shown to admins only', async () => {
  await using cloud = await testNetwork()
  const network = await made(cloud.member, '/networks', 'network', {})
  const refuse = async (path: string, key: string, values: object) => {
    const answer = await cloud.member('POST', path, { [key]: values })
    assert.deepEqual([answer.status, answer.body.NeutronError.type], [403, 'PolicyNotAuthorized'])
    return answer.body.NeutronError.message
  }
  const message = await refuse('/networks', 'network', { shared: true })
  assert.equal(message, '(rule:create_network and rule:create_network:shared) is disallowed by policy')
  await refuse('/networks', 'network', { 'router:external': true })
  await refuse('/networks', 'network', { 'provider:network_type': 'vxlan' })
  await refuse('/ports', 'port', { network_id: network.id, 'binding:host_id': 'one' })
  await refuse('/subnetpools', 'subnetpool', { name: 'x', prefixes: ['10.0.0.0/8'], is_default: true })
  assert.equal((await cloud.member('POST', '/networks', { network: { shared: false } })).status, 201)
  for (const path of ['/agents', '/network-ip-availabilities', '/service_profiles']) {
    const answer = await cloud.member('GET', path)
    assert.deepEqual([answer.status, Object.values(answer.body)], [200, [[]]], path)
  }
  assert.equal((await cloud.member('GET', '/quotas')).status, 403)
  assert.equal((await cloud.member('GET', '/quotas/red')).status, 403)
  assert.equal((await cloud.member('PUT', '/quotas/blue', { quota: { port: 5 } })).status, 403)
})

test('a member of another project uses a shared network, but cannot change it or choose its addresses', async () => {
  await using cloud = await testNetwork()
  const network = await made(cloud.admin, '/networks', 'network', { shared: true })
  await made(cloud.admin, '/subnets', 'subnet', {
    network_id: network.id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
  })
  const port = await made(cloud.member, '/ports', 'port', { network_id: network.id })
  assert.equal(port.fixed_ips.length, 1)
  const fixed_ips = [{ ip_address: '10.0.0.9' }]
  const named = await cloud.member('POST', '/ports', { port: { network_id: network.id, fixed_ips } })
  assert.equal(named.status, 403)
  const mac = { network_id: network.id, mac_address: 'fa:16:3e:00:00:01' }
  assert.equal((await cloud.member('POST', '/ports', { port: mac })).status, 403)
  assert.equal((await cloud.member('PUT', `/networks/${network.id}`, { network: { name: 'x' } })).status, 403)
  assert.equal((await cloud.member('DELETE', `/networks/${network.id}`)).status, 403)
  const unshared = await cloud.admin('PUT', `/networks/${network.id}`, { network: { shared: false } })
  assert.deepEqual([unshared.status, unshared.body.NeutronError.type], [409, 'InvalidSharedSetting'])
})
