import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { isFault } from '../base/errors.ts'
import { sendByInject } from '../base/http/client.ts'
import { methodAndPath } from '../base/http/table.ts'
import { imageClient } from './client.ts'
import { imageApiRoutes } from './service.ts'
import { bytes, testImage } from './testing.ts'

test('every route without a token is refused, but the lists of versions', async () => {
  await using world = await testImage()
  for (const route of imageApiRoutes) {
    const [method, path] = methodAndPath(route as never)
    const reply = await world.call(undefined, method, path.replaceAll(/:\w+/g, 'x'))
    if (route.policy === null) assert.ok(reply.status < 400, path)
    else assert.equal(reply.status, 401, `${method} ${path}`)
  }
  assert.equal((await world.call(undefined, 'GET', '/')).status, 300)
  const { status, body } = await world.call(undefined, 'GET', '/versions')
  assert.deepEqual([status, body.versions[0].id, body.versions[0].status], [200, 'v2.17', 'CURRENT'])
})

test('staged data are imported by a task, which tells why it failed when it did', async () => {
  await using world = await testImage()
  const importIt = (id: string) =>
    world.call('alice', 'POST', `/v2/images/${id}/import`, { method: { name: 'glance-direct' } })
  const settled = async (id: string) => {
    for (;;) {
      const [task] = (await world.call('alice', 'GET', `/v2/images/${id}/tasks`)).body.tasks
      if (task.status === 'success' || task.status === 'failure') return task
      await setTimeout(5)
    }
  }
  const good = await world.image('alice', {})
  assert.equal((await importIt(good)).status, 409)
  assert.equal((await world.call('alice', 'PUT', `/v2/images/${good}/stage`, 'data', bytes)).status, 204)
  assert.equal((await world.call('alice', 'GET', `/v2/images/${good}`)).body.status, 'uploading')
  const started = await importIt(good)
  assert.equal(started.status, 202)
  const task = await settled(good)
  assert.deepEqual(
    [task.status, task.request_id, task.input.import_req.method.name],
    ['success', started.headers['x-openstack-request-id'], 'glance-direct'],
  )
  const { body } = await world.call('alice', 'GET', `/v2/images/${good}`)
  assert.deepEqual([body.status, body.size, body.stores], ['active', 4, 'file'])
  assert.equal((await importIt(good)).status, 409)

  const bad = await world.image('alice', { disk_format: 'qcow2' })
  await world.call('alice', 'PUT', `/v2/images/${bad}/stage`, 'data', bytes)
  await importIt(bad)
  const failed = await settled(bad)
  assert.match(failed.message, /must match/)
  const after = (await world.call('alice', 'GET', `/v2/images/${bad}`)).body
  assert.deepEqual([after.status, after.os_glance_failed_import], ['queued', 'file'])

  assert.equal((await world.call('alice', 'GET', '/v2/tasks')).status, 403)
  assert.equal((await world.call('admin', 'GET', '/v2/tasks')).body.tasks.length, 2)
  assert.equal((await world.call('admin', 'GET', `/v2/tasks/${task.id}`)).body.status, 'success')
  const url = `/v2/images/${bad}/import`
  for (const wrong of [{}, { method: {} }, { method: { name: 'web-download' } }])
    assert.equal((await world.call('alice', 'POST', url, wrong)).status, 400)
  const stores = { method: { name: 'glance-direct' }, stores: ['other'] }
  assert.equal((await world.call('alice', 'POST', url, stores)).status, 409)
})

test('tags are set and removed one at a time', async () => {
  await using world = await testImage()
  const id = await world.image('alice', { colour: 'red' })
  const url = `/v2/images/${id}/tags`
  assert.equal((await world.call('alice', 'PUT', `${url}/new`)).status, 204)
  assert.equal((await world.call('alice', 'PUT', `${url}/new`)).status, 204)
  assert.equal((await world.call('alice', 'PUT', `${url}/${'x'.repeat(256)}`)).status, 400)
  const { body } = await world.call('alice', 'GET', `/v2/images/${id}`)
  assert.deepEqual([body.tags, body.colour], [['new'], 'red'])
  assert.equal((await world.call('alice', 'DELETE', `${url}/new`)).status, 204)
  assert.equal((await world.call('alice', 'DELETE', `${url}/new`)).status, 404)
})

test('discovery tells the schemas, import methods and stores', async () => {
  await using world = await testImage()
  for (const name of ['image', 'images', 'member', 'members', 'task', 'tasks']) {
    assert.equal((await world.call('alice', 'GET', `/v2/schemas/${name}`)).body.name, name)
  }
  const methods = await world.call('alice', 'GET', '/v2/info/import')
  assert.deepEqual(methods.body['import-methods'].value, ['glance-direct'])
  assert.deepEqual((await world.call('alice', 'GET', '/v2/info/stores')).body, {
    stores: [{ id: 'file', default: 'true' }],
  })
  assert.equal((await world.call('alice', 'GET', '/v2/info/stores/detail')).status, 403)
  assert.equal((await world.call('alice', 'GET', '/v2/cache')).status, 404)
})

test('the client creates, uploads, lists and downloads with the hash to expect', async () => {
  await using world = await testImage()
  const client = imageClient(sendByInject(world.service.app), async () => 'alice')
  const made = await client.create({ name: 'made', diskFormat: 'raw', properties: { hw_disk_bus: 'scsi' } })
  await assert.rejects(client.download(made.id), (error) => isFault(error, 'conflict'))
  await client.upload(made.id, Readable.from([Buffer.from('da'), Buffer.from('ta')]))
  const [listed] = await client.list({ name: 'made' })
  assert.deepEqual(
    [listed?.id, listed?.status, listed?.properties],
    [made.id, 'active', { hw_disk_bus: 'scsi' }],
  )
  await client.setProperties({ image: listed!, properties: { hw_disk_bus: 'ide', 'a/b~c': 'new' } })
  await client.setProperties({ image: await client.show(made.id), properties: { 'a/b~c': 'new' } })
  assert.deepEqual((await client.show(made.id)).properties, { 'a/b~c': 'new' })
  const { stream, size, hash } = await client.download(made.id)
  assert.deepEqual([(await buffer(stream)).toString(), size], ['data', 4])
  assert.deepEqual(hash, { algorithm: 'sha512', value: createHash('sha512').update('data').digest('hex') })
  await client.delete(made.id)
  await assert.rejects(client.show(made.id), (error) => isFault(error, 'not-found'))
})
