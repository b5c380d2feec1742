import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageId, makeCloud, networkId } from '../testing/cloud.ts'

test('what other services took over is still shown in its old form, up to 2.35', async () => {
  await using cloud = await makeCloud()
  const get = async (path: string, version?: string) => (await cloud.call(`GET ${path}`, { version })).body
  const { networks } = await get('/os-networks')
  assert.deepEqual([networks[0].id, networks[0].label, networks[0].cidr], [networkId, 'private', null])
  assert.deepEqual((await get('/os-tenant-networks')).networks, [
    { id: networkId, label: 'private', cidr: 'None' },
  ])
  const { images } = await get('/images/detail')
  assert.deepEqual([images[0].id, images[0].status, images[0].metadata], [imageId, 'ACTIVE', { distro: 'x' }])
  assert.deepEqual(Object.keys((await get('/images')).images[0]), ['id', 'name', 'links'])
  assert.equal((await get(`/images/${imageId}`)).image.minDisk, 1)
  assert.deepEqual((await get(`/images/${imageId}/metadata/distro`, '2.38')).meta, { distro: 'x' })
  const gone = [
    '/images',
    '/os-networks',
    '/os-tenant-networks',
    '/os-security-groups',
    '/os-floating-ip-pools',
  ]
  for (const path of gone) {
    assert.equal((await cloud.call(`GET ${path}`, { version: '2.36' })).status, 404, path)
  }
  assert.equal((await cloud.call('GET /images/none')).status, 404)
})

test('an image’s properties are its metadata, up to 2.38', async () => {
  await using cloud = await makeCloud()
  const path = `/images/${imageId}/metadata`
  const call = (what: string, body?: unknown) => cloud.call(what, { version: '2.38', body })
  const merged = await call(`POST ${path}`, { metadata: { a: '1' } })
  assert.deepEqual([merged.status, merged.body], [200, { metadata: { distro: 'x', a: '1' } }])
  assert.deepEqual((await call(`PUT ${path}`, { metadata: { a: '1' } })).body, { metadata: { a: '1' } })
  assert.deepEqual((await call(`PUT ${path}/a`, { meta: { a: '2' } })).body, { meta: { a: '2' } })
  assert.equal((await call(`PUT ${path}/b`, { meta: { a: '2' } })).status, 400)
  assert.deepEqual(cloud.image.properties, { a: '2' })
  assert.equal((await call(`DELETE ${path}/a`)).status, 204)
  assert.deepEqual(cloud.image.properties, {})
  assert.equal((await call(`DELETE ${path}/none`)).status, 404)
  assert.equal((await call('POST /images/none/metadata', { metadata: {} })).status, 404)
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`k${i}`, 'v']))
  assert.equal((await call(`PUT ${path}`, { metadata: many })).status, 403)
  assert.equal((await cloud.call(`GET ${path}`, { version: '2.39' })).status, 404)
})

test('security groups are shown with their incoming rules', async () => {
  await using cloud = await makeCloud()
  const rule = {
    id: 'r1',
    direction: 'ingress' as const,
    ethertype: 'IPv4',
    protocol: 'tcp',
    portRangeMin: 22,
    portRangeMax: 22,
    remoteIpPrefix: null,
    remoteGroupId: null,
  }
  const group = { id: 'g', name: 'web', description: 'd', projectId: 'p1', stateful: true }
  cloud.groups.push({ ...group, rules: [rule, { ...rule, direction: 'egress' }] })
  assert.deepEqual((await cloud.call('GET /os-security-groups')).body.security_groups, [
    {
      id: 'g',
      name: 'web',
      description: 'd',
      tenant_id: 'p1',
      rules: [
        {
          id: 'r1',
          parent_group_id: 'g',
          ip_protocol: 'tcp',
          from_port: 22,
          to_port: 22,
          group: {},
          ip_range: { cidr: '0.0.0.0/0' },
        },
      ],
    },
  ])
})
