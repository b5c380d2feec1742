import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newUuid } from '../../../base/ids.ts'
import { type PlacementWorld, placementWorld } from '../../world.ts'

async function withHosts(world: PlacementWorld): Promise<[string, string]> {
  const uuids: [string, string] = [newUuid(), newUuid()]
  for (const uuid of uuids) {
    await world.client.ensureProvider(uuid, uuid)
    await world.client.setInventories(uuid, {
      VCPU: { total: 8, min_unit: 2, step_size: 2, max_unit: 6 },
      MEMORY_MB: { total: 1024 },
    })
  }
  return uuids
}

test('a claim has the form of its microversion', async () => {
  await using world = await placementWorld()
  const [host] = await withHosts(world)
  const resources = { VCPU: 2 }
  const list = [{ resource_provider: { uuid: host }, resources }]
  const object = { [host]: { resources } }
  const owner = { project_id: 'p', user_id: 'u' }
  const put = async (version: string, body: object, uuid = newUuid()) => {
    const { status } = await world.call('PUT', `/allocations/${uuid}`, { version, body })
    if (status === 204) await world.client.deleteAllocations(uuid)
    return status
  }
  assert.equal(await put('1.0', { allocations: list }), 204)
  assert.equal(await put('1.7', { allocations: list, ...owner }), 400)
  assert.equal(await put('1.8', { allocations: list }), 400)
  assert.equal(await put('1.11', { allocations: list, ...owner }), 204)
  assert.equal(await put('1.12', { allocations: list, ...owner }), 400)
  assert.equal(await put('1.12', { allocations: object, ...owner }), 204)
  assert.equal(await put('1.27', { allocations: {}, ...owner }), 400)
  assert.equal(await put('1.28', { allocations: object, ...owner }), 400)
  assert.equal(await put('1.28', { allocations: object, ...owner, consumer_generation: null }), 204)
  const latest = { allocations: object, ...owner, consumer_generation: null, consumer_type: 'INSTANCE' }
  assert.equal(await put('1.37', latest), 400)
  assert.equal(await put('1.38', latest), 204)
  assert.equal(await put('1.34', { ...latest, mappings: { '': [host] } }), 400)
  assert.equal(await put('1.38', { ...latest, mappings: { a: [host] } }), 204)
  assert.equal(await put('1.38', { ...latest, consumer_type: 'instance' }), 400)
  assert.equal(await put('1.39', latest, 'nonsense'), 400)
})

test('allocations are shown in the form of the microversion', async () => {
  await using world = await placementWorld()
  const [host] = await withHosts(world)
  const consumer = newUuid()
  const body = { allocations: [{ resource_provider: { uuid: host }, resources: { VCPU: 2 } }] }
  await world.call('PUT', `/allocations/${consumer}`, { version: '1.0', body })
  const show = async (version: string) =>
    (await world.call('GET', `/allocations/${consumer}`, { version })).body
  const allocations = { [host]: { generation: 2, resources: { VCPU: 2 } } }
  const nobody = '00000000-0000-0000-0000-000000000000'
  assert.deepEqual(await show('1.11'), { allocations })
  assert.deepEqual(await show('1.12'), { allocations, project_id: nobody, user_id: nobody })
  assert.equal((await show('1.28')).consumer_generation, 1)
  assert.equal((await show('1.38')).consumer_type, 'unknown')
  const path = `/resource_providers/${host}/allocations`
  const before = await world.call('GET', path, { version: '1.27' })
  assert.deepEqual(before.body, {
    allocations: { [consumer]: { resources: { VCPU: 2 } } },
    resource_provider_generation: 2,
  })
  assert.equal((await world.call('GET', path)).body.allocations[consumer].consumer_generation, 1)
  assert.deepEqual((await world.call('GET', `/allocations/${newUuid()}`)).body, { allocations: {} })
})

test('a claim that does not fit is refused whole, with the reason', async () => {
  await using world = await placementWorld()
  const [host, other] = await withHosts(world)
  const claim = async (allocations: Record<string, Record<string, number>>) => {
    const consumer = newUuid()
    const body = {
      allocations: Object.fromEntries(
        Object.entries(allocations).map(([uuid, resources]) => [uuid, { resources }]),
      ),
      project_id: 'p',
      user_id: 'u',
      consumer_generation: null,
      consumer_type: 'INSTANCE',
    }
    const reply = await world.call('PUT', `/allocations/${consumer}`, { body })
    return [reply.status, reply.body?.errors[0].detail ?? ''] as const
  }
  for (const vcpus of [1, 3, 8]) {
    const [status, detail] = await claim({ [host]: { VCPU: vcpus } })
    assert.equal(status, 409)
    assert.match(detail, /violate inventory constraints/)
  }
  assert.equal((await claim({ [host]: { VCPU: 6 } }))[0], 204)
  const [status, detail] = await claim({ [other]: { MEMORY_MB: 512 }, [host]: { VCPU: 4 } })
  assert.equal(status, 409)
  assert.match(detail, /exceed the capacity/)
  assert.deepEqual(await world.client.getProviderUsages(other), { VCPU: 0, MEMORY_MB: 0 })
  assert.match((await claim({ [host]: { DISK_GB: 1 } }))[1], /Inventory for 'DISK_GB'.* invalid/)
  assert.equal((await claim({ [host]: { CUSTOM_NOT: 1 } }))[0], 400)
  assert.equal((await claim({ [newUuid()]: { VCPU: 2 } }))[0], 400)
})

test('a consumer is moved between hosts in one request, or not at all when it changed', async () => {
  await using world = await placementWorld()
  const [from, to] = await withHosts(world)
  const instance = newUuid()
  const migration = newUuid()
  const at = (host: string) => ({ allocations: { [host]: { resources: { VCPU: 6 } } } })
  const owner = { projectId: 'p', userId: 'u' }
  await world.client.claim(instance, at(from), 'p', 'u')
  const move = (generation: number) =>
    world.client.moveAllocations({
      [instance]: { ...at(to), ...owner, consumerGeneration: generation },
      [migration]: { ...at(from), ...owner, consumerGeneration: null, consumerType: 'MIGRATION' },
    })
  assert.equal((await move(0)).outcome, 'conflict')
  assert.deepEqual(await world.client.getProviderUsages(to), { VCPU: 0, MEMORY_MB: 0 })
  assert.equal((await move(1)).outcome, 'claimed')
  assert.deepEqual(Object.keys((await world.client.getAllocations(instance)).allocations), [to])
  assert.equal((await world.client.getAllocations(instance)).consumerGeneration, 2)
  const usages = await world.call('GET', '/usages?project_id=p')
  assert.deepEqual(usages.body.usages, {
    INSTANCE: { consumer_count: 1, VCPU: 6 },
    MIGRATION: { consumer_count: 1, VCPU: 6 },
  })
  const ofType = async (type: string) =>
    (await world.call('GET', `/usages?project_id=p&user_id=u&consumer_type=${type}`)).body.usages
  assert.deepEqual(await ofType('all'), { all: { consumer_count: 2, VCPU: 12 } })
  assert.deepEqual(await ofType('MIGRATION'), { MIGRATION: { consumer_count: 1, VCPU: 6 } })
  assert.deepEqual(await ofType('unknown'), {})
  const old = await world.call('GET', '/usages?project_id=p', { version: '1.37' })
  assert.deepEqual(old.body.usages, { VCPU: 12 })
})

test('the usages of a project are for its own readers', async () => {
  await using world = await placementWorld()
  const as = async (token: string, project: string) =>
    (await world.call('GET', `/usages?project_id=${project}`, { headers: { 'x-auth-token': token } })).status
  assert.deepEqual([await as('reader', 'home'), await as('reader', 'other')], [200, 403])
  assert.deepEqual([await as('service', 'other'), await as('admin', 'other')], [200, 200])
  assert.equal((await world.call('GET', '/usages')).status, 400)
})
