import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { HttpReply, Send } from '../../base/http/client.ts'
import { sendByHttp } from '../../base/http/send-by-http.ts'
import { deviceGroups } from '../client.ts'
import { made, type TestNetwork, testNetwork } from '../test-network.ts'

/** Two servers with a port each, and a reader that notes what it is answered. */
async function asking(cloud: TestNetwork, send: Send = cloud.send) {
  const network = await made(cloud.member, '/networks', 'network', {})
  const group = (name: string) => made(cloud.member, '/security-groups', 'security_group', { name })
  const [web, db] = [await group('web'), await group('db')]
  const servers = [randomUUID(), randomUUID()]
  const ports = []
  for (const device_id of servers)
    ports.push(
      await made(cloud.member, '/ports', 'port', {
        network_id: network.id,
        device_id,
        security_groups: [web.id],
      }),
    )
  const replies: HttpReply[] = []
  const clock = { milliseconds: 0, now: () => clock.milliseconds }
  const groupsOf = deviceGroups(async (call) => {
    const reply = await send(call)
    replies.push(reply)
    return reply
  }, clock)
  const token = 'member:blue'
  const names = async (ids: readonly string[] = servers, as = token) => {
    const found = await groupsOf(as, ids)
    return ids.map((id) => (found.get(id) ?? []).map(({ name }) => name).join())
  }
  const statuses = () => replies.splice(0).map(({ status }) => status)
  return { clock, web, db, servers, ports, names, statuses }
}

test('each change of what groups the ports of servers are in is seen by who has asked before', async () => {
  await using cloud = await testNetwork()
  const { web, db, servers, ports, names, statuses } = await asking(cloud)
  const put = (path: string, body: object) => cloud.member('PUT', path, body)
  const port = `/ports/${ports[0].id}`
  const other = randomUUID()
  const changes: [change: () => Promise<{ status: number }>, shown: string[]][] = [
    [() => put(port, { port: { security_groups: [db.id] } }), ['db', 'web']],
    [() => put(`/security-groups/${web.id}`, { security_group: { name: 'www' } }), ['db', 'www']],
    [() => put(port, { port: { device_id: other } }), ['', 'www']],
    [() => put(port, { port: { device_id: servers[0] } }), ['db', 'www']],
    [() => cloud.member('DELETE', `/ports/${ports[1].id}`), ['db', '']],
  ]
  assert.deepEqual(await names(), ['web', 'web'])
  for (const [change, shown] of changes) {
    statuses()
    await names()
    assert.deepEqual(statuses(), [304])
    assert.ok((await change()).status < 300)
    assert.deepEqual(await names(), shown)
  }
})

test('what was told a minute ago is asked for once more, and then holds for another minute', async () => {
  await using cloud = await testNetwork()
  const { clock, names, statuses } = await asking(cloud)
  await names()
  for (const _ of [1, 2, 3]) {
    clock.milliseconds += 60_000
    statuses()
    for (const __ of [1, 2]) assert.deepEqual(await names(), ['web', 'web'])
    assert.deepEqual(statuses(), [200, 200, 304])
  }
})

test('a change of what no server shows leaves what was told as it is', async () => {
  await using cloud = await testNetwork()
  const { ports, names, statuses } = await asking(cloud)
  await names()
  statuses()
  await cloud.member('PUT', `/ports/${ports[0].id}`, { port: { name: 'new' } })
  assert.deepEqual(await names(), ['web', 'web'])
  assert.deepEqual(statuses(), [304])
})

test('servers that nobody asked for yet are asked for, and the others only when something changed', async () => {
  await using cloud = await testNetwork()
  const { web, db, servers, ports, names, statuses } = await asking(cloud)
  await names([servers[0]!])
  statuses()
  assert.deepEqual(await names(), ['web', 'web'])
  assert.equal(statuses().length, 2)
  assert.deepEqual(await names(), ['web', 'web'])
  assert.deepEqual(statuses(), [304])
  await cloud.member('PUT', `/ports/${ports[0].id}`, { port: { security_groups: [web.id, db.id] } })
  const many = [...servers, ...Array.from({ length: 30 }, () => randomUUID())]
  assert.deepEqual((await names(many)).map((name) => name.split(',').sort().join()).slice(0, 3), [
    'db,web',
    'web',
    '',
  ])
  statuses()
  await names(many)
  assert.deepEqual(statuses(), [304])
})

test('what one caller was told is not told to another, and one whose token is refused learns nothing', async () => {
  await using cloud = await testNetwork()
  const { servers, names } = await asking(cloud)
  assert.deepEqual(await names(servers), ['web', 'web'])
  assert.deepEqual(await names(servers, 'member:red'), ['', ''])
  assert.deepEqual(await names(servers, 'admin:ops'), ['web', 'web'])
  await assert.rejects(names(servers, 'nobody'))
})

test('a group that is no longer shared is no longer named', async () => {
  await using cloud = await testNetwork()
  const group = await made(cloud.as('member:red'), '/security-groups', 'security_group', { name: 'theirs' })
  const policy = await made(cloud.as('member:red'), '/rbac-policies', 'rbac_policy', {
    object_type: 'security_group',
    object_id: group.id,
    action: 'access_as_shared',
    target_tenant: 'blue',
  })
  const { servers, ports, names } = await asking(cloud)
  await cloud.admin('PUT', `/ports/${ports[0].id}`, { port: { security_groups: [group.id] } })
  assert.deepEqual(await names(servers), ['theirs', 'web'])
  // Its use is what keeps it from being deleted: as an administrator's database does it.
  await cloud.admin('PUT', `/ports/${ports[0].id}`, { port: { security_groups: [] } })
  assert.equal((await cloud.as('member:red')('DELETE', `/rbac-policies/${policy.id}`)).status, 204)
  assert.deepEqual(await names(servers), ['', 'web'])
})

test('a Network whose answers have no revision is asked for all each time', async () => {
  await using cloud = await testNetwork()
  const { names, statuses } = await asking(cloud, async (call) => {
    const { etag: _none, ...headers } = (await cloud.send(call)).headers
    return { ...(await cloud.send(call)), headers }
  })
  for (const _ of [1, 2]) assert.deepEqual(await names(), ['web', 'web'])
  assert.deepEqual(statuses(), [200, 200, 200, 200])
})

test('the same holds over a socket', async () => {
  await using cloud = await testNetwork()
  const url = await cloud.app.listen({ host: '127.0.0.1', port: 0 })
  const { names, statuses } = await asking(cloud, sendByHttp(url))
  for (const _ of [1, 2, 3]) assert.deepEqual(await names(), ['web', 'web'])
  assert.deepEqual(statuses(), [200, 200, 304, 304])
})
