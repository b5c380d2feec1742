import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listFlows } from '../../../base/flow/store.ts'
import { makeCloud, newGroup, newPort, type TestCloud, unknownId } from '../testing/cloud.ts'
import { recorder } from '../testing/world.ts'

async function withServer() {
  const cloud = await makeCloud()
  const id = await cloud.create()
  await cloud.settle(id)
  return { cloud, id }
}

const act = (cloud: TestCloud, id: string, body: object, options: { as?: string; version?: string } = {}) =>
  cloud.call(`POST /servers/${id}/action`, { ...options, body })

test('an operation moves the server, is recorded, and is handed to a conductor; a second one is refused', async () => {
  const { cloud, id } = await withServer()
  await using _ = cloud
  assert.equal((await act(cloud, id, { 'os-stop': null })).status, 202)
  const { server } = (await cloud.call(`GET /servers/${id}`)).body
  assert.equal(server['OS-EXT-STS:task_state'], 'powering-off')
  assert.deepEqual(cloud.sent.at(-1), ['conductor.wake', { subject: `server:${id}` }])
  const flows = await listFlows(cloud.deps.apiDb)
  assert.equal(flows.at(-1)?.kind, 'operate-server')
  const again = await act(cloud, id, { 'os-stop': null })
  assert.deepEqual(again.body, {
    conflictingRequest: {
      code: 409,
      message: `Cannot 'stop' instance ${id} while it is in task_state powering-off`,
    },
  })
  const { instanceActions } = (await cloud.call(`GET /servers/${id}/os-instance-actions`)).body
  assert.deepEqual([instanceActions.length, instanceActions[0].action], [1, 'stop'])
})

test('actions are refused in states that do not allow them, to strangers, and when unknown', async () => {
  const { cloud, id } = await withServer()
  await using _ = cloud
  const cases: [object, number, { as?: string; version?: string }?][] = [
    [{ 'os-start': null }, 409],
    [{ unpause: null }, 409],
    [{ resume: null }, 409],
    [{ restore: null }, 409],
    [{ reboot: { type: 'odd' } }, 400],
    [{ reboot: {} }, 400],
    [{ nonsense: null }, 400],
    [{}, 400],
    [{ 'os-resetState': { state: 'error' } }, 403],
    [{ 'os-stop': null }, 404, { as: 'stranger' }],
    [{ 'os-stop': null }, 403, { as: 'reader' }],
    [{ changePassword: { adminPass: 'x' } }, 501],
    [{ 'os-getVNCConsole': { type: 'novnc' } }, 400],
    [{ 'os-getVNCConsole': { type: 'novnc' } }, 400, { version: '2.6' }],
    [{ addFixedIp: { networkId: unknownId } }, 404],
    [{ addFixedIp: { networkId: unknownId } }, 400, { version: '2.44' }],
    [{ reboot: { type: 'SOFT' } }, 202],
  ]
  for (const [body, status, options] of cases) {
    const reply = await act(cloud, id, body, options)
    assert.equal(reply.status, status, JSON.stringify([body, reply.body]))
  }
  assert.equal((await act(cloud, unknownId, { 'os-stop': null })).status, 404)
})

test('a locked server is left alone until it is unlocked by who may', async () => {
  const { cloud, id } = await withServer()
  await using _ = cloud
  const lock = { lock: { locked_reason: 'mine' } }
  assert.equal((await act(cloud, id, lock, { version: '2.73' })).status, 202)
  const { server } = (await cloud.call(`GET /servers/${id}`, { version: '2.73' })).body
  assert.deepEqual([server.locked, server.locked_reason], [true, 'mine'])
  const stop = await act(cloud, id, { 'os-stop': null })
  assert.deepEqual([stop.status, stop.body.conflictingRequest.message], [409, `Instance ${id} is locked`])
  assert.equal((await cloud.call(`DELETE /servers/${id}`)).status, 409)
  assert.equal((await act(cloud, id, { unlock: null })).status, 202)
  const after = (await cloud.call(`GET /servers/${id}`, { version: '2.73' })).body.server
  assert.deepEqual([after.locked, after.locked_reason], [false, null])
  assert.equal((await act(cloud, id, { 'os-stop': null })).status, 202)
})

test('the console output comes from the host, as many lines as asked for', async () => {
  const { cloud, id } = await withServer()
  await using _ = cloud
  cloud.deps.agents = () => recorder(cloud.sent, 'agent', { consoleOutput: () => ({ output: 'a\nb\nc\n' }) })
  const output = async (argument: object | null) =>
    (await act(cloud, id, { 'os-getConsoleOutput': argument })).body.output
  assert.equal(await output(null), 'a\nb\nc\n')
  assert.equal(await output({ length: 2 }), 'b\nc\n')
  assert.equal(await output({ length: '-1' }), 'a\nb\nc\n')
  assert.deepEqual(cloud.sent.at(-1), ['agent.consoleOutput', { uuid: id }, 'h1'])
  const building = await cloud.create()
  assert.equal((await act(cloud, building, { 'os-getConsoleOutput': null })).status, 409)
})

test('metadata and tags are changed one by one and whole', async () => {
  const { cloud, id } = await withServer()
  await using _ = cloud
  const path = `/servers/${id}/metadata`
  assert.deepEqual((await cloud.call(`POST ${path}`, { body: { metadata: { a: '1', b: '2' } } })).body, {
    metadata: { a: '1', b: '2' },
  })
  assert.deepEqual((await cloud.call(`PUT ${path}/a`, { body: { meta: { a: '3' } } })).body, {
    meta: { a: '3' },
  })
  assert.equal((await cloud.call(`PUT ${path}/a`, { body: { meta: { b: '3' } } })).status, 400)
  assert.equal((await cloud.call(`DELETE ${path}/b`)).status, 204)
  assert.equal((await cloud.call(`DELETE ${path}/b`)).status, 404)
  assert.deepEqual((await cloud.call(`GET ${path}`)).body, { metadata: { a: '3' } })
  assert.deepEqual((await cloud.call(`PUT ${path}`, { body: { metadata: {} } })).body, { metadata: {} })
  assert.equal((await cloud.call(`PUT ${path}`, { body: { metadata: { a: 1 } } })).status, 400)

  const tags = `/servers/${id}/tags`
  const version = '2.26'
  assert.equal((await cloud.call(`PUT ${tags}/red`, { version })).status, 201)
  assert.equal((await cloud.call(`PUT ${tags}/red`, { version })).status, 204)
  assert.equal((await cloud.call(`GET ${tags}/red`, { version })).status, 204)
  assert.equal((await cloud.call(`GET ${tags}/blue`, { version })).status, 404)
  assert.equal((await cloud.call(`PUT ${tags}/a,b`, { version })).status, 400)
  assert.equal((await cloud.call(`GET ${tags}`)).status, 404)
  assert.equal((await cloud.call(`DELETE ${tags}/red`, { version })).status, 204)
  assert.deepEqual((await cloud.call(`GET ${tags}`, { version })).body, { tags: [] })
  const building = await cloud.create()
  assert.equal(
    (await cloud.call(`POST /servers/${building}/metadata`, { body: { metadata: {} } })).status,
    409,
  )
  assert.equal((await cloud.call(`PUT /servers/${building}/tags/x`, { version })).status, 409)
})

test('ports and security groups are Network’s', async () => {
  const { cloud, id } = await withServer()
  await using _ = cloud
  cloud.ports.push(newPort({ deviceId: id, securityGroupIds: ['g1'] }))
  cloud.groups.push(newGroup('g1', 'default'), newGroup('g2', 'web'))
  const { interfaceAttachments } = (await cloud.call(`GET /servers/${id}/os-interface`)).body
  assert.deepEqual(interfaceAttachments[0].fixed_ips, [{ subnet_id: 's1', ip_address: '10.0.0.5' }])
  assert.equal('tag' in interfaceAttachments[0], false)
  const port = interfaceAttachments[0].port_id
  assert.equal((await cloud.call(`GET /servers/${id}/os-interface/${port}`)).status, 200)
  assert.equal((await cloud.call(`GET /servers/${id}/os-interface/${unknownId}`)).status, 404)
  const groups = (await cloud.call(`GET /servers/${id}/os-security-groups`)).body.security_groups
  assert.deepEqual([groups.length, groups[0].name], [1, 'default'])
  assert.equal((await act(cloud, id, { addSecurityGroup: { name: 'web' } })).status, 202)
  assert.equal((await act(cloud, id, { addSecurityGroup: { name: 'none' } })).status, 404)
  assert.equal((await act(cloud, id, { removeSecurityGroup: { name: 'default' } })).status, 202)
  assert.equal((await act(cloud, id, { removeSecurityGroup: { name: 'web' } })).status, 404)
})

test('actions tell who did what; how it went, to whom it may concern', async () => {
  const { cloud, id } = await withServer()
  await using _ = cloud
  const stop = await act(cloud, id, { 'os-stop': null })
  const request = String(stop.headers['x-openstack-request-id'])
  const show = async (version?: string, as = 'member') =>
    (await cloud.call(`GET /servers/${id}/os-instance-actions/${request}`, { as, version })).body
      .instanceAction
  const first = await show()
  assert.deepEqual([first.action, first.user_id, 'events' in first], ['stop', 'u-member', false])
  assert.deepEqual([(await show('2.51')).events, 'updated_at' in (await show('2.58'))], [[], true])
  assert.deepEqual((await show('2.1', 'admin')).events, [])
  const list = (query: string, version?: string) =>
    cloud.call(`GET /servers/${id}/os-instance-actions${query}`, { version })
  assert.equal((await list('?limit=1', '2.58')).body.links.length, 1)
  assert.equal((await list(`?marker=${request}`, '2.58')).body.instanceActions.length, 0)
  assert.equal((await list('?marker=x', '2.58')).status, 400)
  assert.equal((await list('?changes-before=2000-01-01T00:00:00Z', '2.65')).status, 400)
  assert.equal((await list('?changes-before=2000-01-01T00:00:00Z', '2.66')).body.instanceActions.length, 0)
  assert.equal((await cloud.call(`GET /servers/${id}/os-instance-actions/req-x`)).status, 404)
})

test('events of other services reach a conductor, and each gets its answer', async () => {
  const { cloud, id } = await withServer()
  await using _ = cloud
  const post = (events: object[], version?: string, as = 'admin') =>
    cloud.call('POST /os-server-external-events', { as, version, body: { events } })
  const plugged = { name: 'network-vif-plugged', server_uuid: id, tag: 'port' }
  const all = await post([plugged, { ...plugged, server_uuid: unknownId }])
  assert.deepEqual(
    [all.status, all.body.events.map((event: { code: number }) => event.code)],
    [207, [200, 404]],
  )
  assert.deepEqual(cloud.sent.at(-1), [
    'conductor.portsPlugged',
    { ports: [{ id: 'port', succeeded: true }] },
  ])
  await post([{ name: 'network-changed', server_uuid: id, tag: 'port' }])
  assert.deepEqual(cloud.sent.at(-1), [
    'conductor.externalEvents',
    { events: [{ name: 'network-changed', serverUuid: id, status: 'completed', tag: 'port' }] },
  ])
  assert.equal((await post([plugged])).status, 200)
  assert.equal((await post([plugged], undefined, 'member')).status, 403)
  const cases: [string, string, number][] = [
    ['volume-extended', '2.50', 400],
    ['volume-extended', '2.51', 200],
    ['power-update', '2.75', 400],
    ['power-update', '2.76', 200],
    ['volume-reimaged', '2.92', 400],
    ['volume-reimaged', '2.93', 200],
  ]
  for (const [name, version, status] of cases) {
    assert.equal(
      (await post([{ name, server_uuid: id, tag: 'x' }], version)).status,
      status,
      `${name} ${version}`,
    )
  }
})

test('what the cloud does not have is told', async () => {
  const { cloud, id } = await withServer()
  await using _ = cloud
  const get = (path: string, version?: string, as = 'member') =>
    cloud.call(`GET /servers/${id}/${path}`, { as, version })
  assert.deepEqual((await get('topology', '2.78')).body, { nodes: [], pagesize_kb: null })
  assert.equal((await get('topology', '2.77')).status, 404)
  assert.deepEqual((await get('os-volume_attachments')).body, { volumeAttachments: [] })
  assert.equal((await get('diagnostics', '2.48', 'admin')).status, 501)
  assert.deepEqual((await get('os-server-password')).body, { password: '' })
  assert.equal((await cloud.call(`DELETE /servers/${id}/os-server-password`)).status, 204)
  assert.deepEqual((await get('migrations', '2.23', 'admin')).body, { migrations: [] })
  const remote = { remote_console: { protocol: 'vnc', type: 'novnc' } }
  const console = await cloud.call(`POST /servers/${id}/remote-consoles`, { version: '2.6', body: remote })
  assert.deepEqual(
    [console.status, console.body.badRequest.message],
    [400, 'Unavailable console type novnc.'],
  )
})
