import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idOf } from '#testing/people.ts'
import { patch, testImage } from '../../testing.ts'

test('an image is created with defaults, custom properties and tags, and shown the same', async () => {
  await using world = await testImage()
  const created = await world.call('alice', 'POST', '/v2/images', {
    name: 'small',
    disk_format: 'qcow2',
    container_format: 'bare',
    os_distro: 'debian',
    tags: ['b', 'a', 'b'],
    min_ram: 64,
  })
  assert.equal(created.status, 201)
  const { id, created_at, updated_at, ...image } = created.body
  assert.deepEqual(image, {
    name: 'small',
    disk_format: 'qcow2',
    container_format: 'bare',
    visibility: 'shared',
    size: null,
    virtual_size: null,
    status: 'queued',
    checksum: null,
    protected: false,
    min_ram: 64,
    min_disk: 0,
    owner: idOf('alpha'),
    os_hidden: false,
    os_hash_algo: null,
    os_hash_value: null,
    os_distro: 'debian',
    tags: ['a', 'b'],
    self: `/v2/images/${id}`,
    file: `/v2/images/${id}/file`,
    schema: '/v2/schemas/image',
  })
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.equal(updated_at, created_at)
  assert.equal(created.headers['location'], `http://localhost:80/v2/images/${id}`)
  assert.deepEqual((await world.call('alice', 'GET', `/v2/images/${id}`)).body, created.body)
})

test('a create with wrong, read-only, reserved or forbidden fields is refused and makes nothing', async () => {
  await using world = await testImage({ imageTagQuota: 2 })
  const cases: [body: unknown, status: number][] = [
    [{ disk_format: 'floppy' }, 400],
    [{ container_format: 'box' }, 400],
    [{ name: 'x'.repeat(256) }, 400],
    [{ custom: 7 }, 400],
    [{ min_disk: -1 }, 400],
    [{ min_disk: 2 ** 53 }, 400],
    [{ min_disk: 'much' }, 400],
    [{ visibility: 'secret' }, 400],
    [{ id: 'not-a-uuid' }, 400],
    [{ kernel_id: 'not-a-uuid' }, 400],
    [{ ['x'.repeat(256)]: 'long' }, 400],
    [[], 400],
    [{ status: 'active' }, 403],
    [{ size: 5 }, 403],
    [{ self: '/v2' }, 403],
    [{ location: 'file:///etc/passwd' }, 403],
    [{ os_glance_import_task: 'x' }, 403],
    [{ visibility: 'public' }, 403],
    [{ owner: idOf('beta') }, 403],
    [{ tags: ['a', 'b', 'c'] }, 413],
  ]
  for (const [body, status] of cases) {
    const reply = await world.call('alice', 'POST', '/v2/images', body as object)
    assert.equal(reply.status, status, `${JSON.stringify(body)}: ${JSON.stringify(reply.body)}`)
  }
  assert.equal((await world.call('rita', 'POST', '/v2/images', {})).status, 403)
  const image = await world.call('admin', 'POST', '/v2/images', {
    id: '12345678-1234-1234-1234-123456789abc',
    visibility: 'public',
    owner: idOf('beta'),
  })
  assert.equal(image.status, 201)
  const again = await world.call('admin', 'POST', '/v2/images', { id: image.body.id })
  assert.equal(again.status, 409)
  assert.equal((await world.call('admin', 'GET', '/v2/images')).body.images.length, 1)
})

test('a patch changes, adds and removes what may be changed, in both of its forms', async () => {
  await using world = await testImage()
  const id = await world.image('alice', { name: 'a', colour: 'red' })
  const url = `/v2/images/${id}`
  const send = (changes: unknown, headers = patch) =>
    world.call('alice', 'PATCH', url, JSON.stringify(changes), headers)
  const done = await send([
    { op: 'replace', path: '/name', value: 'b' },
    { op: 'add', path: '/a~1b', value: 'slash' },
    { op: 'remove', path: '/colour' },
    { op: 'replace', path: '/tags', value: ['x'] },
    { op: 'replace', path: '/protected', value: true },
  ])
  assert.equal(done.status, 200, JSON.stringify(done.body))
  const { name, 'a/b': slash, colour, tags } = done.body
  assert.deepEqual([name, slash, colour, tags, done.body.protected], ['b', 'slash', undefined, ['x'], true])
  const older = { 'content-type': 'application/openstack-images-v2.0-json-patch' }
  assert.equal((await send([{ replace: '/name', value: 'c' }], older)).body.name, 'c')
  assert.equal((await send([{ add: '/name', value: 'd' }], older)).status, 409)
  const wrong: [changes: unknown, status: number][] = [
    [{}, 400],
    [['x'], 400],
    [[{ path: '/name', value: 'x' }], 400],
    [[{ op: 'move', path: '/name', value: 'x' }], 400],
    [[{ op: 'replace', path: 'name', value: 'x' }], 400],
    [[{ op: 'replace', path: '/name/x', value: 'x' }], 400],
    [[{ op: 'replace', path: '/name' }], 400],
    [[{ op: 'replace', path: '/min_ram', value: 'x' }], 400],
    [[{ op: 'replace', path: '/absent', value: 'x' }], 409],
    [[{ op: 'remove', path: '/absent' }], 409],
    [[{ op: 'remove', path: '/name' }], 403],
    [[{ op: 'replace', path: '/status', value: 'active' }], 403],
    [[{ op: 'add', path: '/os_glance_x', value: 'x' }], 403],
    [[{ op: 'replace', path: '/visibility', value: 'public' }], 403],
    [[{ op: 'replace', path: '/owner', value: 'x' }], 403],
    [[{ op: 'add', path: '/locations/-', value: { url: 'http://x', metadata: {} } }], 403],
    [
      [
        { op: 'replace', path: '/name', value: 'lost' },
        { op: 'remove', path: '/absent' },
      ],
      409,
    ],
  ]
  for (const [changes, status] of wrong) {
    const reply = await send(changes)
    assert.equal(reply.status, status, `${JSON.stringify(changes)}: ${JSON.stringify(reply.body)}`)
  }
  const plain = await send([], { 'content-type': 'application/json' })
  assert.equal(plain.status, 415)
  assert.match(String(plain.headers['accept-patch']), /v2\.1-json-patch/)
  assert.equal((await world.call('alice', 'GET', url)).body.name, 'c')
  assert.equal((await world.call('alice', 'DELETE', url)).status, 403)
  await send([{ op: 'replace', path: '/protected', value: false }])
  assert.equal((await world.call('alice', 'DELETE', url)).status, 204)
  assert.equal((await world.call('alice', 'GET', url)).status, 404)
  assert.equal((await world.call('alice', 'DELETE', url)).status, 404)
})

test("another project's image is not found, whatever is done to it; a public one is not to be changed", async () => {
  await using world = await testImage()
  const foreign = await world.image('alice', { visibility: 'private' })
  const open = await world.image('admin', { visibility: 'public' })
  const calls: [method: 'GET' | 'PATCH' | 'DELETE' | 'PUT' | 'POST', path: string][] = [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['GET', '/file'],
    ['PUT', '/file'],
    ['PUT', '/stage'],
    ['PUT', '/tags/x'],
    ['DELETE', '/tags/x'],
    ['GET', '/members'],
    ['GET', '/tasks'],
    ['POST', '/actions/deactivate'],
    ['POST', '/actions/reactivate'],
  ]
  for (const [method, path] of calls) {
    const headers: Record<string, string> =
      method === 'PATCH'
        ? patch
        : path === '/file' || path === '/stage'
          ? { 'content-type': 'application/octet-stream' }
          : {}
    const payload =
      method === 'PATCH'
        ? '[{"op":"replace","path":"/name","value":"x"}]'
        : method === 'PUT' && headers['content-type']
          ? 'data'
          : undefined
    const reply = await world.call('bob', method, `/v2/images/${foreign}${path}`, payload, headers)
    assert.equal(reply.status, 404, `${method} ${path}`)
    if (method === 'GET') continue
    const refused = await world.call('bob', method, `/v2/images/${open}${path}`, payload, headers)
    assert.equal(refused.status, 403, `${method} ${path} of a public image`)
  }
  assert.equal((await world.call('bob', 'GET', `/v2/images/${open}`)).status, 200)
})

test('faults are HTML for any client, JSON or text for one that asks for it', async () => {
  await using world = await testImage()
  const html = await world.call('alice', 'GET', '/v2/images/x', undefined, { accept: '*/*' })
  assert.match(String(html.headers['content-type']), /text\/html/)
  assert.match(html.body, /<h1>404 Not Found<\/h1>\n {2}No image found with ID x<br \/>/)
  assert.deepEqual((await world.call('alice', 'GET', '/v2/images/x')).body, {
    message: 'No image found with ID x',
    code: '404 Not Found',
    title: 'Not Found',
  })
  const text = await world.call('alice', 'GET', '/v2/images/x', undefined, { accept: 'text/plain' })
  assert.match(text.body, /^404 Not Found\n\nNo image found/)
  assert.equal((await world.call('alice', 'GET', '/v2/images/')).status, 404)
  assert.equal((await world.call('alice', 'DELETE', '/v2/images/')).status, 404)
})
