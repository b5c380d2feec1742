import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bridgeAgent, made, type TestNetwork, testNetwork } from '../../test-network.ts'

async function asking(cloud: TestNetwork) {
  const group = await made(cloud.member, '/security-groups', 'security_group', { name: 'web' })
  const ask = async (values: Record<string, unknown>) => {
    const rule = { security_group_id: group.id, direction: 'ingress', ...values }
    const answer = await cloud.member('POST', '/security-group-rules', { security_group_rule: rule })
    if (answer.status === 201) return answer.body.security_group_rule
    return `${answer.status} ${answer.body.NeutronError.type}`
  }
  return { group, ask }
}

test('a new group lets everything out; the default one is made by looking and stays', async () => {
  await using cloud = await testNetwork()
  const { group } = await asking(cloud)
  assert.deepEqual(
    group.security_group_rules
      .map((rule: { direction: string; ethertype: string }) => [rule.direction, rule.ethertype])
      .sort(),
    [
      ['egress', 'IPv4'],
      ['egress', 'IPv6'],
    ],
  )
  const [standard] = (await cloud.member('GET', '/security-groups?name=default')).body.security_groups
  assert.equal(standard.description, 'Default security group')
  const again = (await cloud.member('GET', '/security-groups?name=default')).body.security_groups
  assert.equal(again.length, 1)
  const attempt = async (method: 'PUT' | 'DELETE' | 'POST', path: string, body?: unknown) => {
    const answer = await cloud.member(method, path, body)
    return `${answer.status} ${answer.body?.NeutronError?.type}`
  }
  const path = `/security-groups/${standard.id}`
  assert.equal(await attempt('DELETE', path), '409 SecurityGroupCannotRemoveDefault')
  const renamed = { security_group: { name: 'x' } }
  assert.equal(await attempt('PUT', path, renamed), '409 SecurityGroupCannotUpdateDefault')
  const second = { security_group: { name: 'default' } }
  assert.equal(await attempt('POST', '/security-groups', second), '409 SecurityGroupDefaultAlreadyExists')
})

test('rules are kept in one form, and the same rule is not kept twice', async () => {
  await using cloud = await testNetwork()
  const { ask } = await asking(cloud)
  const ssh = await ask({
    protocol: 'TCP',
    port_range_min: 22,
    port_range_max: 22,
    remote_ip_prefix: '10.0.0.5/8',
  })
  assert.deepEqual(
    [ssh.protocol, ssh.ethertype, ssh.remote_ip_prefix, ssh.normalized_cidr],
    ['tcp', 'IPv4', '10.0.0.5/8', '10.0.0.0/8'],
  )
  const same = { protocol: '6', port_range_min: '22', port_range_max: '22', remote_ip_prefix: '10.0.0.5/8' }
  assert.equal(await ask(same), '409 SecurityGroupRuleExists')
  assert.equal((await ask({ remote_ip_prefix: '10.1.1.1' })).remote_ip_prefix, '10.1.1.1/32')
  assert.equal((await ask({ protocol: 'icmp', ethertype: 'ipv6' })).protocol, 'ipv6-icmp')
  assert.equal(await ask({ protocol: '58', ethertype: 'IPv6' }), '409 SecurityGroupRuleExists')
  const every = await ask({ protocol: 'udp', port_range_min: 1, port_range_max: 65535 })
  assert.deepEqual([every.port_range_min, every.port_range_max], [null, null])
  assert.equal(await ask({ protocol: 'udp', remote_ip_prefix: '0.0.0.0/0' }), '409 SecurityGroupRuleExists')
})

test('of many requests for the same rule one is granted', async () => {
  await using cloud = await testNetwork()
  const { ask } = await asking(cloud)
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask({ protocol: 'tcp' })))
  assert.equal(answers.filter((answer) => typeof answer !== 'string').length, 1)
  assert.equal(answers.filter((answer) => answer === '409 SecurityGroupRuleExists').length, 9)
})

test('rules that mean nothing are refused', async () => {
  await using cloud = await testNetwork()
  const { group, ask } = await asking(cloud)
  const cases: [Record<string, unknown>, string][] = [
    [{ direction: 'up' }, '400 HTTPBadRequest'],
    [{ ethertype: 'IPv5' }, '400 SecurityGroupRuleInvalidEtherType'],
    [{ protocol: 'smoke' }, '400 SecurityGroupRuleInvalidProtocol'],
    [{ protocol: 256 }, '400 SecurityGroupRuleInvalidProtocol'],
    [{ port_range_min: 5, port_range_max: 6 }, '400 SecurityGroupProtocolRequiredWithPorts'],
    [{ protocol: 'tcp', port_range_min: 6, port_range_max: 5 }, '400 SecurityGroupInvalidPortRange'],
    [{ protocol: 'tcp', port_range_min: 6 }, '400 SecurityGroupInvalidPortRange'],
    [{ protocol: 'tcp', port_range_min: 0, port_range_max: 5 }, '400 SecurityGroupInvalidPortValue'],
    [{ protocol: 'tcp', port_range_min: 'x' }, '400 SecurityGroupInvalidPortValue'],
    [{ protocol: 'icmp', port_range_min: 300 }, '400 SecurityGroupInvalidIcmpValue'],
    [{ protocol: 'icmp', port_range_max: 3 }, '400 SecurityGroupMissingIcmpType'],
    [{ protocol: 'gre', port_range_min: 1, port_range_max: 2 }, '400 SecurityGroupInvalidProtocolForPort'],
    [{ protocol: 'ipv6-icmp' }, '400 SecurityGroupEthertypeConflictWithProtocol'],
    [{ remote_ip_prefix: 'fd00::/64' }, '400 SecurityGroupRuleParameterConflict'],
    [{ remote_ip_prefix: 'x' }, '400 InvalidCIDR'],
    [{ remote_ip_prefix: '10.0.0.0/8', remote_group_id: group.id }, '400 SecurityGroupMultipleRemoteEntites'],
    [{ remote_group_id: '00000000-0000-4000-8000-000000000000' }, '404 SecurityGroupNotFound'],
    [{ security_group_id: '00000000-0000-4000-8000-000000000000' }, '404 SecurityGroupNotFound'],
    [{ remote_group_id: [] }, '400 HTTPBadRequest'],
    [{ remote_address_group_id: { a: 1 } }, '400 HTTPBadRequest'],
  ]
  for (const [values, expected] of cases) assert.equal(await ask(values), expected, JSON.stringify(values))
})

test('a group in use stays, and a stateless one is not mixed with others', async () => {
  await using cloud = await testNetwork()
  const { group } = await asking(cloud)
  const stateless = await made(cloud.member, '/security-groups', 'security_group', {
    name: 'fast',
    stateful: false,
  })
  const network = await made(cloud.member, '/networks', 'network', {})
  const ask = (security_groups: string[]) =>
    cloud.member('POST', '/ports', { port: { network_id: network.id, security_groups } })
  assert.equal((await ask([group.id, stateless.id])).status, 409)
  assert.equal((await ask(['00000000-0000-4000-8000-000000000000'])).status, 404)
  const port = (await ask([group.id])).body.port
  const inUse = await cloud.member('DELETE', `/security-groups/${group.id}`)
  assert.deepEqual([inUse.status, inUse.body.NeutronError.type], [409, 'SecurityGroupInUse'])
  await cloud.member('DELETE', `/ports/${port.id}`)
  assert.equal((await cloud.member('DELETE', `/security-groups/${group.id}`)).status, 204)
})

test('addresses of an address group become rules of the hosts that have ports with it', async () => {
  await using cloud = await testNetwork()
  await cloud.rpc('reportState', bridgeAgent('one'))
  const { group, ask } = await asking(cloud)
  const addresses = await made(cloud.member, '/address-groups', 'address_group', {
    addresses: ['10.1.0.0/24', 'fd00::/64'],
  })
  await ask({ remote_address_group_id: addresses.id, protocol: 'tcp' })
  const network = await made(cloud.member, '/networks', 'network', {})
  await cloud.client('admin:blue').createPort({
    networkId: network.id,
    host: 'one',
    securityGroupIds: [group.id],
  })
  const prefixes = async () => {
    const wanted = await cloud.wantedL2('one')
    return wanted.securityGroups[group.id]!.rules.flatMap((rule) => rule.remoteIpPrefix ?? [])
  }
  assert.deepEqual(await prefixes(), ['10.1.0.0/24'])
  const act = (name: string, list: string[]) =>
    cloud.member('PUT', `/address-groups/${addresses.id}/${name}`, { addresses: list })
  assert.equal((await act('add_addresses', ['10.2.0.7/24'])).status, 200)
  assert.deepEqual((await prefixes()).sort(), ['10.1.0.0/24', '10.2.0.0/24'])
  assert.equal((await act('add_addresses', ['10.2.0.0/24'])).body.NeutronError.type, 'AddressesAlreadyExist')
  assert.equal((await act('remove_addresses', ['10.3.0.0/24'])).body.NeutronError.type, 'AddressesNotFound')
  assert.equal((await act('remove_addresses', ['10.1.0.0/24'])).status, 200)
  assert.deepEqual(await prefixes(), ['10.2.0.0/24'])
  assert.equal((await cloud.member('DELETE', `/address-groups/${addresses.id}`)).status, 409)
})
