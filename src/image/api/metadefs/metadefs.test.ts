import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testImage } from '../../testing.ts'

const base = '/v2/metadefs/namespaces'
const property = { title: 'Bus', type: 'string', enum: ['scsi', 'virtio'] }

test('a namespace is made with all that is in it, shown with the prefix of a resource type, and removed', async () => {
  await using world = await testImage()
  const made = await world.call('admin', 'POST', base, {
    namespace: 'OS::Test',
    display_name: 'Test',
    visibility: 'public',
    protected: true,
    resource_type_associations: [{ name: 'OS::Glance::Image', prefix: 'hw_' }],
    properties: { disk_bus: property },
    objects: [{ name: 'Limits', properties: { cpu: { title: 'CPU', type: 'integer' } } }],
    tags: [{ name: 'one' }],
  })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  assert.equal(made.headers['location'], `http://localhost:80${base}/OS::Test`)
  const url = `${base}/OS::Test`
  const { body } = await world.call('alice', 'GET', `${url}?resource_type=OS::Glance::Image`)
  assert.deepEqual(body.properties, { hw_disk_bus: property })
  assert.deepEqual(Object.keys(body.objects[0].properties), ['hw_cpu'])
  assert.deepEqual([body.namespace, body.protected, body.tags[0].name], ['OS::Test', true, 'one'])
  const listed = (await world.call('alice', 'GET', `${base}?resource_types=OS::Glance::Image`)).body
  assert.equal(listed.namespaces[0].resource_type_associations[0].name, 'OS::Glance::Image')
  assert.equal((await world.call('admin', 'DELETE', url)).status, 403)
  assert.equal((await world.call('alice', 'PUT', url, { namespace: 'OS::Test' })).status, 403)
  const hidden = await world.call('admin', 'PUT', url, { namespace: 'OS::Other', visibility: 'private' })
  assert.deepEqual([hidden.status, hidden.body.visibility, hidden.body.protected], [200, 'private', false])
  assert.equal((await world.call('alice', 'GET', `${base}/OS::Other`)).status, 404)
  assert.equal((await world.call('admin', 'DELETE', `${base}/OS::Other`)).status, 204)
  for (const table of ['metadef_objects', 'metadef_properties', 'metadef_tags'] as const)
    assert.deepEqual(await world.service.db.selectFrom(table).selectAll().execute(), [])
})

test('objects, properties, tags and associations are made, changed and removed one at a time', async () => {
  await using world = await testImage()
  await world.call('admin', 'POST', base, { namespace: 'N', visibility: 'public' })
  const as = async (who: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => {
    const reply = await world.call(who, method, `${base}/N/${path}`, body)
    return [reply.status, reply.body] as const
  }
  const cases = [
    ['objects', { name: 'a' }, { name: 'b' }],
    ['properties', { name: 'a', ...property }, { name: 'b', ...property }],
  ] as const
  for (const [kind, first, second] of cases) {
    assert.equal((await as('admin', 'POST', kind, first))[0], 201)
    assert.equal((await as('admin', 'POST', kind, first))[0], 409)
    assert.equal((await as('alice', 'POST', kind, second))[0], 403)
    assert.equal((await as('alice', 'GET', `${kind}/a`))[1].name, 'a')
    assert.equal((await as('admin', 'PUT', `${kind}/a`, second))[1].name, 'b')
    assert.equal((await as('admin', 'GET', `${kind}/a`))[0], 404)
    assert.equal((await as('admin', 'POST', kind, { name: 'x', nonsense: 1 }))[0], 400)
    assert.equal((await as('admin', 'DELETE', `${kind}/b`))[0], 204)
  }
  const names = async () =>
    (await as('alice', 'GET', 'tags'))[1].tags.map(({ name }: { name: string }) => name)
  assert.equal((await as('admin', 'POST', 'tags', { tags: [{ name: 'x' }, { name: 'y' }] }))[0], 201)
  assert.equal((await as('admin', 'POST', 'tags/z'))[0], 201)
  assert.equal((await as('admin', 'PUT', 'tags/x', { name: 'w' }))[1].name, 'w')
  assert.deepEqual(await names(), ['w', 'y', 'z'])
  const append = { 'x-openstack-append': 'true' }
  await world.call('admin', 'POST', `${base}/N/tags`, { tags: [{ name: 'v' }] }, append)
  assert.deepEqual(await names(), ['w', 'y', 'z', 'v'])
  assert.equal((await as('admin', 'POST', 'tags', { tags: [{ name: 'u' }] }))[0], 201)
  assert.deepEqual(await names(), ['u'])
  assert.equal((await as('admin', 'DELETE', 'tags'))[0], 204)
  assert.deepEqual(await names(), [])
  const association = { name: 'OS::Nova::Flavor', prefix: 'hw:' }
  assert.equal((await as('admin', 'POST', 'resource_types', association))[0], 201)
  assert.equal((await as('admin', 'POST', 'resource_types', association))[0], 409)
  assert.equal((await as('alice', 'GET', 'resource_types'))[1].resource_type_associations[0].prefix, 'hw:')
  assert.equal((await as('admin', 'DELETE', 'resource_types/OS::Nova::Flavor'))[0], 204)
  assert.equal((await as('admin', 'DELETE', 'resource_types/OS::Nova::Flavor'))[0], 404)
})

test('namespaces are listed in pages, and their schemas are told', async () => {
  await using world = await testImage()
  for (const namespace of ['a', 'b', 'c']) await world.call('admin', 'POST', base, { namespace })
  assert.equal((await world.call('admin', 'POST', base, { namespace: 'a' })).status, 409)
  assert.equal((await world.call('alice', 'POST', base, { namespace: 'd' })).status, 403)
  assert.deepEqual((await world.call('alice', 'GET', base)).body.namespaces, [])
  const seen: string[] = []
  let next: string | undefined = `${base}?limit=1&sort_key=namespace&sort_dir=asc`
  while (next !== undefined) {
    const { body } = await world.call('admin', 'GET', next)
    seen.push(...body.namespaces.map(({ namespace }: { namespace: string }) => namespace))
    next = body.next
  }
  assert.deepEqual(seen, ['a', 'b', 'c'])
  for (const name of [
    'namespace',
    'namespaces',
    'object',
    'objects',
    'property',
    'properties',
    'tag',
    'tags',
  ])
    assert.equal((await world.call('alice', 'GET', `/v2/schemas/metadefs/${name}`)).body.name, name)
  const types = (await world.call('alice', 'GET', '/v2/metadefs/resource_types')).body.resource_types
  assert.equal(types[0].name, 'OS::Glance::Image')
})
