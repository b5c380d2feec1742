import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newUuid } from '../../../base/ids.ts'
import { placementWorld } from '../../world.ts'

test('a provider shows more with each microversion', async () => {
  await using world = await placementWorld()
  const uuid = newUuid()
  const made = await world.call('POST', '/resource_providers', {
    version: '1.19',
    body: { name: 'a', uuid: uuid.replaceAll('-', '').toUpperCase() },
  })
  assert.deepEqual([made.status, made.body], [201, undefined])
  const rels = async (version: string): Promise<unknown> =>
    (await world.call('GET', `/resource_providers/${uuid}`, { version })).body.links.map(
      (link: { rel: string }) => link.rel,
    )
  assert.deepEqual(await rels('1.0'), ['self', 'inventories', 'usages'])
  assert.deepEqual(await rels('1.11'), [
    'self',
    'inventories',
    'usages',
    'aggregates',
    'traits',
    'allocations',
  ])
  const flat = await world.call('GET', `/resource_providers/${uuid}`, { version: '1.13' })
  assert.equal('parent_provider_uuid' in flat.body, false)
  const nested = await world.call('POST', '/resource_providers', {
    version: '1.20',
    body: { name: 'b', parent_provider_uuid: uuid },
  })
  assert.equal(nested.status, 200)
  assert.deepEqual([nested.body.root_provider_uuid, nested.body.generation], [uuid, 0])
})

test('names and uuids are taken once, and a parent must exist', async () => {
  await using world = await placementWorld()
  const uuid = newUuid()
  const post = (body: object) => world.call('POST', '/resource_providers', { body })
  await post({ name: 'a', uuid })
  for (const body of [{ name: 'a' }, { name: 'b', uuid }]) {
    const again = await post(body)
    assert.deepEqual([again.status, again.body.errors[0].code], [409, 'placement.duplicate_name'])
  }
  const statuses = [
    await post({ name: 'c', parent_provider_uuid: newUuid() }),
    await post({ name: 'x'.repeat(201) }),
    await post({ name: 'c', color: 'red' }),
    await post({ name: 'c', uuid: 'nonsense' }),
  ].map((reply) => reply.status)
  assert.deepEqual(statuses, [400, 400, 400, 400])
})

test('a provider gets a parent at any time, but another or none only since 1.37, and never itself', async () => {
  await using world = await placementWorld()
  const [a, b, c] = [newUuid(), newUuid(), newUuid()]
  for (const [uuid, name] of [
    [a, 'a'],
    [b, 'b'],
    [c, 'c'],
  ] as const)
    await world.client.ensureProvider(uuid, name)
  const move = async (uuid: string, name: string, parent: string | null, version: string) =>
    (
      await world.call('PUT', `/resource_providers/${uuid}`, {
        version,
        body: { name, parent_provider_uuid: parent },
      })
    ).status
  assert.equal(await move(c, 'c', b, '1.14'), 200)
  assert.equal(await move(b, 'b', a, '1.36'), 200)
  assert.equal(await move(c, 'c', a, '1.36'), 400)
  assert.equal(await move(c, 'c', null, '1.36'), 400)
  assert.equal(await move(a, 'a', c, '1.37'), 400)
  const tree = async (uuid: string) => (await world.client.findProvider(uuid))?.rootUuid
  assert.equal(await tree(c), a)
  assert.equal(await move(b, 'b', null, '1.37'), 200)
  assert.deepEqual([await tree(b), await tree(c)], [b, b])
  const parent = await world.call('DELETE', `/resource_providers/${b}`)
  assert.equal(parent.body.errors[0].code, 'placement.resource_provider.cannot_delete_parent')
})

test('the list is filtered by name, tree, aggregates, traits and free resources', async () => {
  await using world = await placementWorld()
  const { client } = world
  const [one, two, three] = [newUuid(), newUuid(), newUuid()]
  const [red, blue] = [newUuid(), newUuid()]
  await client.ensureProvider(one, 'one')
  await client.ensureProvider(two, 'two', one)
  await client.ensureProvider(three, 'three')
  await client.setInventories(two, { VCPU: { total: 8, max_unit: 4 } })
  await client.setTraits(two, ['HW_CPU_X86_AVX', 'HW_CPU_X86_SSE'])
  await client.setTraits(three, ['HW_CPU_X86_SSE'])
  await client.setAggregates(two, [red, blue])
  await client.setAggregates(three, [blue])
  const list = async (query: string, version = '1.39'): Promise<unknown> => {
    const { status, body } = await world.call('GET', `/resource_providers?${query}`, { version })
    return status === 200 ? body.resource_providers.map((row: { name: string }) => row.name).join() : status
  }
  assert.equal(await list(''), 'one,two,three')
  assert.equal(await list('name=three', '1.0'), 'three')
  assert.equal(await list(`uuid=${one}`, '1.0'), 'one')
  assert.equal(await list(`member_of=${red}`, '1.2'), 400)
  assert.equal(await list(`member_of=in:${red},${blue}`, '1.3'), 'two,three')
  assert.equal(await list(`member_of=${red}&member_of=${blue}`, '1.23'), 400)
  assert.equal(await list(`member_of=${red}&member_of=${blue}`, '1.24'), 'two')
  assert.equal(await list(`member_of=!${red}`, '1.31'), 400)
  assert.equal(await list(`member_of=!${red}`, '1.32'), 'one,three')
  assert.equal(await list(`member_of=!in:${red},${blue}`), 'one')
  assert.equal(await list(`member_of=${red},${blue}`), 400)
  assert.equal(await list('resources=VCPU:4', '1.4'), 'two')
  assert.equal(await list('resources=VCPU:5'), '')
  assert.equal(await list('resources=CUSTOM_NOT:1'), 400)
  assert.equal(await list('resources=VCPU'), 400)
  assert.equal(await list('resources=VCPU:0'), 400)
  assert.equal(await list(`in_tree=${two}`, '1.13'), 400)
  assert.equal(await list(`in_tree=${two}`, '1.14'), 'one,two')
  assert.equal(await list(`in_tree=${newUuid()}`), '')
  assert.equal(await list('required=HW_CPU_X86_AVX', '1.18'), 'two')
  assert.equal(await list('required=!HW_CPU_X86_AVX', '1.21'), 400)
  assert.equal(await list('required=HW_CPU_X86_SSE,!HW_CPU_X86_AVX', '1.22'), 'three')
  assert.equal(await list('required=in:HW_CPU_X86_AVX,HW_CPU_X86_MMX', '1.38'), 400)
  assert.equal(await list('required=in:HW_CPU_X86_AVX,HW_CPU_X86_MMX', '1.39'), 'two')
  assert.equal(await list('required=HW_CPU_X86_AVX&required=HW_CPU_X86_MMX', '1.38'), '')
  assert.equal(await list('required=CUSTOM_NOT'), 400)
  assert.equal(await list('color=red'), 400)
})
