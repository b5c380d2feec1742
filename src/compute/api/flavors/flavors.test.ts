import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeWorld, type TestWorld } from '../testing/world.ts'

const small = { name: 'm1.small', ram: 512, vcpus: 1, disk: 2 }

async function create(world: TestWorld, flavor: object, version?: string) {
  return await world.call('POST /flavors', { as: 'admin', version, body: { flavor } })
}

test('a flavor is shown as each microversion knew it', async () => {
  await using world = await makeWorld()
  const flavor = { ...small, id: 's', swap: 0, description: 'for tests' }
  assert.equal((await create(world, flavor, '2.55')).status, 200)
  const at = async (version?: string) => (await world.call('GET /flavors/s', { version })).body.flavor
  const first = await at()
  assert.deepEqual(first, {
    id: 's',
    name: 'm1.small',
    ram: 512,
    disk: 2,
    vcpus: 1,
    swap: '',
    rxtx_factor: 1,
    'OS-FLV-EXT-DATA:ephemeral': 0,
    'OS-FLV-DISABLED:disabled': false,
    'os-flavor-access:is_public': true,
    links: [
      { rel: 'self', href: 'http://cloud:8774/v2.1/flavors/s' },
      { rel: 'bookmark', href: 'http://cloud:8774/flavors/s' },
    ],
  })
  assert.deepEqual(
    Object.keys(await at('2.55')).filter((key) => !(key in first)),
    ['description'],
  )
  assert.deepEqual((await at('2.61')).extra_specs, {})
  assert.deepEqual([(await at('2.74')).swap, (await at('2.75')).swap], ['', 0])
})

test('bodies, names and ids that cannot be are refused', async () => {
  await using world = await makeWorld()
  const cases: [object, number, string?][] = [
    [{ ...small, ram: 0 }, 400],
    [{ ...small, ram: '1024' }, 200],
    [{ ...small, id: 'x' }, 409],
    [{ ...small, name: ' a' }, 400],
    [{ ...small, name: 'b', id: ' x' }, 400],
    [{ ...small, name: 'c', description: 'too early' }, 400],
    [{ ...small, name: 'd', description: 'in time' }, 200, '2.55'],
    [{ ram: 1, vcpus: 1, disk: 1 }, 400],
    [{ ...small, name: 'e', rxtx_factor: 0 }, 400],
    [{ ...small, name: 'f', vcpus: 2 ** 31 }, 400],
  ]
  for (const [flavor, status, version] of cases) {
    const reply = await create(world, flavor, version)
    assert.equal(reply.status, status, JSON.stringify([flavor, reply.body]))
  }
  const member = await world.call('POST /flavors', { body: { flavor: small } })
  assert.deepEqual(member.body, {
    forbidden: {
      code: 403,
      message: "Policy doesn't allow os_compute_api:os-flavor-manage:create to be performed.",
    },
  })
})

test('lists are filtered, sorted and paged', async () => {
  await using world = await makeWorld()
  for (const n of [1, 2, 3])
    await create(world, { name: `f${n}`, id: `${n}`, ram: 100 * n, vcpus: 1, disk: n })
  const ids = async (query: string, as = 'member') => {
    const { status, body } = await world.call(`GET /flavors${query}`, { as })
    return status === 200 ? body.flavors.map((flavor: { id: string }) => flavor.id).join('') : status
  }
  assert.equal(await ids(''), '123')
  assert.equal(await ids('?minRam=200&minDisk=3'), '3')
  assert.equal(await ids('?sort_key=memory_mb&sort_dir=desc'), '321')
  assert.equal(await ids('?sort_key=ram'), 400)
  assert.equal(await ids('?limit=1&marker=1'), '2')
  assert.equal(await ids('?marker=9'), 400)
  assert.equal(await ids('?limit=-1'), 400)
  assert.equal(await ids('?is_public=perhaps', 'admin'), 400)
  const paged = await world.call('GET /flavors/detail?limit=2')
  assert.deepEqual(paged.body.flavors_links, [
    { rel: 'next', href: 'http://cloud:8774/v2.1/flavors/detail?limit=2&marker=2' },
  ])
})

test('a private flavor is seen by projects with access only', async () => {
  await using world = await makeWorld()
  await create(world, { ...small, id: 'p', 'os-flavor-access:is_public': false })
  const act = (body: object, as = 'admin') =>
    world.call('POST /flavors/p/action', { as, version: '2.7', body })
  assert.equal((await world.call('GET /flavors/p')).status, 404)
  assert.deepEqual((await act({ addTenantAccess: { tenant: 'p1' } })).body, {
    flavor_access: [{ flavor_id: 'p', tenant_id: 'p1' }],
  })
  assert.equal((await act({ addTenantAccess: { tenant: 'p1' } })).status, 409)
  assert.equal((await act({ addTenantAccess: { tenant: 'unknown' } })).status, 400)
  assert.equal((await world.call('GET /flavors/p')).status, 200)
  assert.equal((await world.call('GET /flavors')).body.flavors.length, 1)
  assert.equal((await world.call('GET /flavors', { as: 'stranger' })).body.flavors.length, 0)
  assert.equal((await world.call('GET /flavors?is_public=false', { as: 'admin' })).body.flavors.length, 1)
  assert.equal((await act({ removeTenantAccess: { tenant: 'p1' } })).status, 200)
  assert.equal((await act({ removeTenantAccess: { tenant: 'p1' } })).status, 404)
  await create(world, { name: 'open', id: 'o', ram: 1, vcpus: 1, disk: 0 })
  assert.equal((await world.call('GET /flavors/o/os-flavor-access', { as: 'admin' })).status, 404)
})

test('extra specs are kept, and checked since 2.86', async () => {
  await using world = await makeWorld()
  await create(world, { ...small, id: 's' })
  const path = '/flavors/s/os-extra_specs'
  const post = async (specs: object, version?: string) =>
    (await world.call(`POST ${path}`, { as: 'admin', version, body: { extra_specs: specs } })).status
  assert.equal(await post({ 'hw:cpu_policy': 'dedicated', 'my:own': 5 }, '2.86'), 200)
  assert.deepEqual(
    [
      await post({ 'hw:cpu_policy': 'odd' }, '2.85'),
      await post({ 'hw:cpu_policy': 'odd' }, '2.86'),
      await post({ 'hw:nonsense': '1' }, '2.86'),
      await post({ 'quota:vif_inbound_average': '-1' }, '2.86'),
      await post({ 'trait:HW_CPU_X86_AVX2': 'required' }, '2.86'),
      await post({ 'bad/key': '1' }),
    ],
    [200, 400, 400, 400, 200, 400],
  )
  assert.deepEqual((await world.call(`GET ${path}`)).body.extra_specs['my:own'], '5')
  assert.deepEqual((await world.call(`GET ${path}/my:own`)).body, { 'my:own': '5' })
  const put = (body: object) => world.call(`PUT ${path}/my:own`, { as: 'admin', body })
  assert.equal((await put({ 'my:own': '6' })).status, 200)
  assert.equal((await put({ other: '6' })).status, 400)
  assert.equal((await world.call(`DELETE ${path}/my:own`, { as: 'admin' })).status, 200)
  assert.equal((await world.call(`DELETE ${path}/my:own`, { as: 'admin' })).status, 404)
  assert.equal((await world.call('DELETE /flavors/s', { as: 'admin' })).status, 202)
  assert.equal((await world.call(`GET ${path}`)).body.itemNotFound.message, 'Flavor s could not be found.')
})
