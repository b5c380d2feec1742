import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listFlows } from '../../../base/flow/store.ts'
import { findRequestSpec } from '../../store/request-specs.ts'
import { imageId, makeCloud, networkId, newGroup, newPort, portId, unknownId } from '../testing/cloud.ts'

const whole = { name: 'vm', flavorRef: 'm1', imageRef: imageId }

test('a server is asked for: what is wanted is written, a conductor woken, and it is shown at once', async () => {
  await using cloud = await makeCloud()
  const reply = await cloud.call('POST /servers', { body: { server: { ...whole, metadata: { a: 'b' } } } })
  assert.equal(reply.status, 202)
  const { id, adminPass, links, ...rest } = reply.body.server
  assert.deepEqual(rest, { 'OS-DCF:diskConfig': 'MANUAL', security_groups: [{ name: 'default' }] })
  assert.equal(adminPass.length, 12)
  assert.equal(reply.headers['location'], links[0].href)
  assert.deepEqual(cloud.sent, [['conductor.wake', { subject: `server:${id}` }]])
  const [flow] = await listFlows(cloud.deps.apiDb)
  assert.deepEqual([flow?.kind, flow?.subject], ['create-server', `server:${id}`])
  const spec = await findRequestSpec(cloud.deps.apiDb, id)
  assert.deepEqual(spec?.networks, [{ networkId, portId: null, fixedIp: null, tag: null }])

  const { server } = (await cloud.call(`GET /servers/${id}`)).body
  assert.deepEqual(
    [server.status, server['OS-EXT-STS:task_state'], server.metadata, server.addresses, server.hostId],
    ['BUILD', 'scheduling', { a: 'b' }, {}, ''],
  )
  assert.equal((await cloud.call('GET /servers')).body.servers[0].id, id)
  assert.equal((await cloud.call(`GET /servers/${id}`, { as: 'stranger' })).status, 404)
})

test('bodies are taken as each microversion allows', async () => {
  await using cloud = await makeCloud({ maxServersPerRequest: 5 })
  cloud.ports.push(newPort())
  cloud.groups.push(newGroup('g1', 'web'), newGroup('g2', 'twice'), newGroup('g3', 'twice'))
  const network = { uuid: networkId }
  const cases: [object, number, string?, string?][] = [
    [{ networks: 'auto' }, 400, '2.36'],
    [{ networks: 'none' }, 202, '2.37'],
    [{}, 400, '2.37'],
    [{ networks: [network] }, 202],
    [{ networks: [{ ...network, tag: 'a' }] }, 400, '2.31'],
    [{ networks: [{ ...network, tag: 'a' }] }, 202, '2.32'],
    [{ networks: [{ ...network, tag: 'a' }] }, 400, '2.37'],
    [{ networks: [{ ...network, tag: 'a' }] }, 202, '2.42'],
    [{ networks: [{ uuid: unknownId }] }, 400],
    [{ networks: [{ uuid: 'x' }] }, 400],
    [{ networks: [{ port: unknownId }] }, 400],
    [{ networks: [{ port: portId, fixed_ip: '10.0.0.9' }] }, 400],
    [{ networks: [{ port: portId }, { port: portId }] }, 400],
    [{ networks: [{ port: portId }], max_count: 2 }, 400],
    [{ networks: [{ ...network, fixed_ip: '10.0.0.5' }] }, 400],
    [{ networks: [{ ...network, fixed_ip: 'x' }] }, 400],
    [{ description: 'd' }, 400, '2.18'],
    [{ description: 'd' }, 202, '2.19'],
    [{ networks: 'none', tags: ['t'] }, 400, '2.51'],
    [{ networks: 'none', tags: ['t'] }, 202, '2.52'],
    [{ networks: 'none', tags: ['a,b'] }, 400, '2.52'],
    [{ personality: [{ path: '/a', contents: 'YQ==' }] }, 202],
    [{ personality: [{ path: '/a', contents: '?' }] }, 400],
    [{ networks: 'none', personality: [] }, 400, '2.57'],
    [{ networks: 'none', hostname: 'host-1' }, 400, '2.89'],
    [{ networks: 'none', hostname: 'host-1' }, 202, '2.90'],
    [{ networks: 'none', hostname: 'a.b' }, 400, '2.93'],
    [{ networks: 'none', hostname: 'a.b' }, 202, '2.94'],
    [{ networks: 'none', host: 'h' }, 403, '2.74'],
    [{ networks: 'none', host: 'h' }, 400, '2.74', 'admin'],
    [{ security_groups: [{ name: 'web' }] }, 202],
    [{ security_groups: [{ name: 'twice' }] }, 409],
    [{ security_groups: [{ name: 'none' }] }, 400],
    [{ user_data: 'YQ==' }, 202],
    [{ user_data: 'no base64!' }, 400],
    [{ key_name: 'none' }, 400],
    [{ imageRef: unknownId }, 400],
    [{ imageRef: '' }, 400],
    [{ flavorRef: 'none' }, 400],
    [{ availability_zone: 'nowhere' }, 400],
    [{ availability_zone: 'nova:h1' }, 403],
    [{ availability_zone: 'nova:h1' }, 202, '2.1', 'admin'],
    [{ availability_zone: 'a:b:c:d' }, 400],
    [{ block_device_mapping_v2: [{ source_type: 'volume', uuid: unknownId, boot_index: 0 }] }, 400],
    [
      {
        block_device_mapping_v2: [
          { source_type: 'image', destination_type: 'local', uuid: imageId, boot_index: 0 },
        ],
      },
      202,
    ],
    [{ min_count: 2, max_count: 1 }, 400],
    [{ max_count: 6 }, 400],
    [{ name: '' }, 400],
    [{ nonsense: 1 }, 400],
    [{ config_drive: 'maybe' }, 400],
    [{ accessIPv4: '1.2.3' }, 400],
  ]
  const body = { quota_set: { instances: -1, cores: -1, ram: -1 } }
  await cloud.call('PUT /os-quota-sets/p1', { as: 'admin', body })
  for (const [change, status, version, as] of cases) {
    const reply = await cloud.call('POST /servers', {
      as: as ?? 'member',
      version,
      body: { server: { ...whole, ...change } },
    })
    assert.equal(reply.status, status, JSON.stringify([change, version, reply.body]))
  }
})

test('a refused request leaves nothing behind, and quotas hold', async () => {
  await using cloud = await makeCloud()
  await cloud.call('PUT /os-quota-sets/p1', { as: 'admin', body: { quota_set: { instances: 1 } } })
  const id = await cloud.create()
  const over = await cloud.call('POST /servers', { body: { server: whole } })
  assert.deepEqual(
    [over.status, over.body.forbidden.message],
    [403, 'Quota exceeded for instances: Requested 1, but already used 1 of 1 instances'],
  )
  assert.equal((await listFlows(cloud.deps.apiDb)).length, 1)
  const { limits } = (await cloud.call('GET /limits')).body
  assert.deepEqual(
    [limits.absolute.totalInstancesUsed, limits.absolute.totalCoresUsed, limits.absolute.totalRAMUsed],
    [1, 1, 512],
  )
  assert.equal((await cloud.call(`DELETE /servers/${id}`)).status, 204)
  assert.equal((await cloud.call('POST /servers', { body: { server: whole } })).status, 202)
})

test('the limits of a user hold beside those of the project, also where the project has none', async () => {
  await using cloud = await makeCloud()
  const set = (path: string, instances: number) =>
    cloud.call(`PUT /os-quota-sets/${path}`, {
      as: 'admin',
      body: { quota_set: { instances, cores: -1, ram: -1 } },
    })
  const create = async () => (await cloud.call('POST /servers', { body: { server: whole } })).status
  await set('p1', -1)
  await set('p1?user_id=u-member', 1)
  assert.deepEqual([await create(), await create()], [202, 403])
  await set('p1?user_id=u-member', -1)
  assert.equal(await create(), 202)
  await set('p1', 2)
  assert.equal(await create(), 403)
})

test('requests at the same time cannot both have the last of a quota', async () => {
  await using cloud = await makeCloud()
  await cloud.call('PUT /os-quota-sets/p1', { as: 'admin', body: { quota_set: { instances: 3 } } })
  const replies = await Promise.all(
    Array.from({ length: 6 }, () => cloud.call('POST /servers', { body: { server: whole } })),
  )
  assert.deepEqual(replies.map((reply) => reply.status).sort(), [202, 202, 202, 403, 403, 403])
})

test('several servers are asked for at once, as many as the quota allows', async () => {
  await using cloud = await makeCloud()
  const server = { ...whole, min_count: 2, max_count: 20, return_reservation_id: true }
  const reply = await cloud.call('POST /servers', { body: { server } })
  assert.match(reply.body.reservation_id, /^r-[0-9a-z]{8}$/)
  const { servers } = (await cloud.call('GET /servers?sort_key=display_name&sort_dir=asc')).body
  assert.equal(servers.length, 10)
  assert.deepEqual(
    servers.slice(0, 3).map((one: { name: string }) => one.name),
    ['vm-1', 'vm-10', 'vm-2'],
  )
})

test('images and networks that cannot be used are refused with the reason', async () => {
  await using cloud = await makeCloud()
  const message = async (server = {}) => {
    const { body } = await cloud.call('POST /servers', { body: { server: { ...whole, ...server } } })
    return (Object.values(body)[0] as { message: string }).message
  }
  cloud.image.status = 'queued'
  assert.equal(await message(), `Image ${imageId} is not active.`)
  Object.assign(cloud.image, { status: 'active', minRam: 1024 })
  assert.equal(await message(), "Flavor's memory is too small for requested image.")
  Object.assign(cloud.image, { minRam: 0, minDisk: 2 })
  assert.match(await message(), /Flavor's disk is smaller than the minimum size/)
  Object.assign(cloud.image, { minDisk: 0 })
  cloud.networks.push({ ...cloud.networks[0]!, id: unknownId })
  assert.match(await message(), /Multiple possible networks found/)
  cloud.networks.splice(0, 2, { ...cloud.networks[0]!, external: true })
  assert.match(await message({ networks: [{ uuid: networkId }] }), /not allowed to create an interface/)
  cloud.networks.splice(0, 1, { ...cloud.networks[0]!, external: false, subnetIds: [] })
  assert.match(await message({ networks: [{ uuid: networkId }] }), /requires a subnet/)
})

test('a server of a group becomes its member, as long as there is room', async () => {
  await using cloud = await makeCloud()
  const group = { name: 'g', policies: ['affinity'] }
  const { body } = await cloud.call('POST /os-server-groups', { body: { server_group: group } })
  const groupId = body.server_group.id
  const post = (hints: object) =>
    cloud.call('POST /servers', { body: { server: whole, 'os:scheduler_hints': hints } })
  await cloud.call('PUT /os-quota-sets/p1', {
    as: 'admin',
    body: { quota_set: { server_group_members: 1 } },
  })
  const made = await post({ group: groupId })
  assert.equal(made.status, 202)
  const shown = await cloud.call(`GET /os-server-groups/${groupId}`)
  assert.deepEqual(shown.body.server_group.members, [made.body.server.id])
  assert.equal((await post({ group: groupId })).status, 403)
  assert.equal((await post({ group: unknownId })).status, 400)
  const { server } = (await cloud.call(`GET /servers/${made.body.server.id}`, { version: '2.71' })).body
  assert.deepEqual(server.server_groups, [groupId])
})
