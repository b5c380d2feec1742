import assert from 'node:assert/strict'
import { test } from 'node:test'
import { made, type TestNetwork, testNetwork } from '../test-network.ts'

async function withNetworks(cloud: TestNetwork, names: readonly string[]) {
  for (const name of names) await made(cloud.member, '/networks', 'network', { name })
}

const names = (answer: { body: { networks: { name: string }[] } }) =>
  answer.body.networks.map((network) => network.name)

test('lists are sorted by any number of keys', async () => {
  await using cloud = await testNetwork()
  await withNetworks(cloud, ['b', 'c', 'a'])
  const sorted = (query: string) => cloud.member('GET', `/networks?${query}`)
  assert.deepEqual(names(await sorted('sort_key=name&sort_dir=asc')), ['a', 'b', 'c'])
  assert.deepEqual(names(await sorted('sort_key=status&sort_dir=asc&sort_key=name&sort_dir=desc')), [
    'c',
    'b',
    'a',
  ])
  const wrong = await sorted('sort_key=mood&sort_dir=asc')
  assert.deepEqual(
    [wrong.status, wrong.body.NeutronError.message],
    [400, "['mood'] is invalid attribute for sort_keys"],
  )
  assert.equal((await sorted('sort_key=name')).status, 400)
  assert.equal((await sorted('sort_key=name&sort_dir=up')).status, 400)
})

test('pages follow each other by their links, forward and back', async () => {
  await using cloud = await testNetwork()
  await withNetworks(cloud, ['a', 'b', 'c', 'd', 'e'])
  const first = await cloud.member('GET', '/networks?limit=2&sort_key=name&sort_dir=asc')
  assert.deepEqual(names(first), ['a', 'b'])
  const follow = async (
    answer: { body: { networks_links: { rel: string; href: string }[] } },
    rel: string,
  ) => {
    const link = answer.body.networks_links.find((each) => each.rel === rel)!
    return cloud.member('GET', link.href.replace(/^.*\/v2\.0/, ''))
  }
  const second = await follow(first.body.networks_links ? first : first, 'next')
  assert.deepEqual(names(second), ['c', 'd'])
  const third = await follow(second, 'next')
  assert.deepEqual(names(third), ['e'])
  assert.deepEqual(
    third.body.networks_links.map((link: { rel: string }) => link.rel),
    ['previous'],
  )
  assert.deepEqual(names(await follow(third, 'previous')), ['c', 'd'])
  const lost = await cloud.member('GET', '/networks?limit=2&marker=00000000-0000-4000-8000-000000000000')
  assert.equal(lost.status, 404)
  assert.equal((await cloud.member('GET', '/networks?limit=-1')).status, 400)
  assert.equal((await cloud.member('GET', '/networks?limit=99999999999999999999')).status, 200)
})

test('what has no value of the key sorts before what has one, on every page', async () => {
  await using cloud = await testNetwork()
  const group = await made(cloud.member, '/security-groups', 'security_group', { name: 'g' })
  for (const port of [80, 22]) {
    const rule = { security_group_id: group.id, direction: 'ingress', protocol: 'tcp' }
    const ports = { port_range_min: port, port_range_max: port }
    await made(cloud.member, '/security-group-rules', 'security_group_rule', { ...rule, ...ports })
  }
  for (const [direction, wanted] of [
    ['asc', [null, null, 22, 80]],
    ['desc', [80, 22, null, null]],
  ] as const) {
    const found: (number | null)[] = []
    let marker = ''
    for (let page = 0; page < 5; page++) {
      const path = `/security-group-rules?security_group_id=${group.id}&sort_key=port_range_min&sort_dir=${direction}`
      const rules = (await cloud.member('GET', `${path}&limit=1${marker}`)).body.security_group_rules
      found.push(...rules.map((rule: { port_range_min: number | null }) => rule.port_range_min))
      if (rules.length > 0) marker = `&marker=${rules[0].id}`
    }
    assert.deepEqual(found, wanted)
  }
})

test('filters may be repeated and empty; unknown ones are refused', async () => {
  await using cloud = await testNetwork()
  await withNetworks(cloud, ['a', 'b', ''])
  assert.deepEqual(names(await cloud.member('GET', '/networks?name=a&name=b')).sort(), ['a', 'b'])
  assert.deepEqual(names(await cloud.member('GET', '/networks?name=')), [''])
  assert.deepEqual(names(await cloud.member('GET', '/networks?admin_state_up=False')), [])
  assert.equal(names(await cloud.member('GET', '/networks?admin_state_up=true&tenant_id=blue')).length, 3)
  assert.equal(names(await cloud.member('GET', '/networks?shared=false')).length, 3)
  assert.equal(names(await cloud.member('GET', '/networks?router:external=true')).length, 0)
  assert.equal(names(await cloud.admin('GET', '/networks?provider:network_type=vxlan')).length, 3)
  const unknown = await cloud.member('GET', '/networks?mood=good')
  assert.deepEqual(
    [unknown.status, unknown.body.NeutronError.message],
    [400, "['mood'] is invalid attribute for filtering"],
  )
})

test('only the fields that are asked for are shown', async () => {
  await using cloud = await testNetwork()
  await withNetworks(cloud, ['a'])
  const { body } = await cloud.member('GET', '/networks?fields=name&fields=mtu')
  assert.deepEqual(body, { networks: [{ name: 'a', mtu: 1450 }] })
  const [network] = (await cloud.member('GET', '/networks')).body.networks
  const one = await cloud.member('GET', `/networks/${network.id}?fields=id`)
  assert.deepEqual(one.body, { network: { id: network.id } })
})

test('a field that is asked for alone is as in the whole', async () => {
  await using cloud = await testNetwork()
  const network = await made(cloud.member, '/networks', 'network', {})
  const cidr = '10.0.0.0/24'
  await made(cloud.member, '/subnets', 'subnet', { network_id: network.id, ip_version: 4, cidr })
  const pairs = { allowed_address_pairs: [{ ip_address: '10.0.0.99' }] }
  const port = await made(cloud.member, '/ports', 'port', { network_id: network.id, ...pairs })
  for (const [collection, { id }] of Object.entries({ networks: network, ports: port })) {
    await cloud.member('PUT', `/${collection}/${id}/tags/blue`)
    for (const who of [cloud.member, cloud.admin]) {
      const key = collection.slice(0, -1)
      const whole = (await who('GET', `/${collection}/${id}`)).body[key]
      for (const [name, value] of Object.entries(whole)) {
        const alone = (await who('GET', `/${collection}/${id}?fields=${name}`)).body[key]
        assert.deepEqual(alone, { [name]: value })
      }
    }
  }
})

test('a change can be made conditional on the revision', async () => {
  await using cloud = await testNetwork()
  const network = await made(cloud.member, '/networks', 'network', {})
  const put = (name: string, revision: string) =>
    cloud.member('PUT', `/networks/${network.id}`, { network: { name } }, { 'if-match': revision })
  const fine = await put('one', `revision_number=${network.revision_number}`)
  assert.equal(fine.body.network.revision_number, network.revision_number + 1)
  const stale = await put('two', `revision_number=${network.revision_number}`)
  assert.deepEqual([stale.status, stale.body.NeutronError.type], [412, 'RevisionNumberConstraintFailed'])
  assert.equal((await put('two', 'revision_number=x')).status, 400)
})

test('tags are set, found by, and removed', async () => {
  await using cloud = await testNetwork()
  await withNetworks(cloud, ['a', 'b', 'c'])
  const ids = (await cloud.member('GET', '/networks?sort_key=name&sort_dir=asc')).body.networks.map(
    (network: { id: string }) => network.id,
  )
  const tag = async (id: string, tags: string[]) =>
    assert.equal((await cloud.member('PUT', `/networks/${id}/tags`, { tags })).status, 200)
  await tag(ids[0], ['red', 'blue'])
  await tag(ids[1], ['red'])
  const found = async (query: string) => names(await cloud.member('GET', `/networks?${query}`)).sort()
  assert.deepEqual(await found('tags=red'), ['a', 'b'])
  assert.deepEqual(await found('tags=red,blue'), ['a'])
  assert.deepEqual(await found('tags-any=green,blue'), ['a'])
  assert.deepEqual(await found('not-tags=red,blue'), ['b', 'c'])
  assert.deepEqual(await found('not-tags-any=red,blue'), ['c'])
  const path = `/networks/${ids[2]}/tags`
  assert.equal((await cloud.member('PUT', `${path}/green`)).status, 201)
  assert.equal((await cloud.member('GET', `${path}/green`)).status, 204)
  assert.equal((await cloud.member('GET', `${path}/red`)).body.NeutronError.type, 'TagNotFound')
  assert.deepEqual((await cloud.member('GET', path)).body, { tags: ['green'] })
  assert.equal((await cloud.member('DELETE', `${path}/green`)).status, 204)
  assert.equal((await cloud.member('DELETE', `${path}/green`)).status, 404)
  assert.equal((await cloud.member('DELETE', `/networks/${ids[0]}/tags`)).status, 204)
  assert.deepEqual(await found('tags=blue'), [])
  assert.equal((await cloud.member('PUT', path, { tags: ['x', 'x'] })).status, 400)
  assert.equal((await cloud.as('member:red')('GET', path)).status, 404)
})

test('several are made at once, or none when one is wrong', async () => {
  await using cloud = await testNetwork()
  const fine = await cloud.member('POST', '/networks', { networks: [{ name: 'a' }, { name: 'b' }] })
  assert.deepEqual(names(fine), ['a', 'b'])
  const [network] = fine.body.networks
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' }
  const wrong = await cloud.member('POST', '/subnets', { subnets: [subnet, subnet] })
  assert.equal(wrong.status, 400)
  assert.deepEqual((await cloud.member('GET', '/subnets')).body.subnets, [])
})

test('malformed bodies are told what is wrong with them', async () => {
  await using cloud = await testNetwork()
  const told = async (body: unknown) => {
    const answer = await cloud.member('POST', '/networks', body)
    return `${answer.status} ${answer.body.NeutronError.message}`
  }
  assert.equal(await told({}), '400 Resource body required')
  assert.equal(await told({ net: {} }), "400 Unable to find 'network' in request body")
  assert.equal(await told({ network: [] }), "400 Object 'network' contains invalid data")
  assert.equal(await told({ network: { mood: 1 } }), "400 Unrecognized attribute(s) 'mood'")
  assert.equal(await told({ network: { id: 'x' } }), "400 Attribute 'id' not allowed in POST")
  assert.equal(
    await told({ network: { name: 5 } }),
    "400 Invalid input for name. Reason: '5' is not a valid string.",
  )
  assert.equal(
    await told({ network: { name: 'x'.repeat(256) } }),
    `400 Invalid input for name. Reason: '${'x'.repeat(256)}' exceeds maximum length of 255.`,
  )
  assert.equal(
    await told({ network: { admin_state_up: 'maybe' } }),
    "400 Invalid input for operation: 'maybe' cannot be converted to boolean.",
  )
  assert.equal(
    await told({ network: { tenant_id: 'a', project_id: 'b' } }),
    "400 'project_id' and 'tenant_id' do not match",
  )
  assert.match(await told({ network: { project_id: 'red' } }), /^400 Specifying 'project_id' or 'tenant_id'/)
  assert.equal(
    (await cloud.member('POST', '/subnets', { subnet: { ip_version: 4 } })).body.NeutronError.message,
    "Failed to parse request. Required attribute 'network_id' not specified",
  )
  const wrongMethod = await cloud.member('DELETE', '/networks')
  assert.equal(wrongMethod.status, 405)
  for (const path of ['/routers', '/floatingips', '/qos/policies', '/auto-allocated-topology/blue'])
    assert.equal((await cloud.admin('GET', path)).status, 404)
})

test('projects that ask the same way in turn each see what is theirs, for any number of ids', async () => {
  await using cloud = await testNetwork()
  const blue = cloud.as('member:blue')
  const red = cloud.as('member:red')
  const ids: string[] = []
  for (const [who, name] of [[blue, 'blue'] as const, [red, 'red'] as const])
    for (let index = 0; index < 3; index++)
      ids.push((await made(who, '/networks', 'network', { name: `${name}${index}` })).id)
  const seen = async (who: typeof blue, asked: readonly string[]) =>
    names(await who('GET', `/networks?${asked.map((id) => `id=${id}`).join('&')}&fields=name`)).toSorted()
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(await seen(blue, ids), ['blue0', 'blue1', 'blue2'])
    assert.deepEqual(await seen(red, ids), ['red0', 'red1', 'red2'])
    assert.deepEqual(await seen(red, ids.slice(0, 3)), [])
    assert.deepEqual(await seen(red, [ids[0]!]), [])
    assert.equal((await seen(cloud.admin, ids)).length, 6)
    assert.equal((await red('GET', `/networks/${ids[0]}`)).status, 404)
    assert.equal((await blue('GET', `/networks/${ids[0]}`)).status, 200)
  }
  const many = Array.from({ length: 200 }, (_, index) => `${ids[5]!.slice(0, -3)}${100 + index}`)
  assert.deepEqual(await seen(red, [...many, ids[5]!]), ['red2'])
  assert.deepEqual(names(await red('GET', '/networks?name=red1&status=ACTIVE')), ['red1'])
})
