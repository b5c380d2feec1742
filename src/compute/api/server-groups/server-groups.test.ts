import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeWorld } from '../testing/world.ts'

test('groups are made and shown as each microversion knew them', async () => {
  await using world = await makeWorld()
  const post = (server_group: object, version?: string) =>
    world.call('POST /os-server-groups', { version, body: { server_group } })
  const cases: [object, number, string?][] = [
    [{ name: 'a', policies: ['affinity'] }, 200],
    [{ name: 'a', policies: ['soft-affinity'] }, 400, '2.14'],
    [{ name: 'a', policies: ['soft-affinity'] }, 200, '2.15'],
    [{ name: 'a', policies: ['affinity', 'anti-affinity'] }, 400],
    [{ name: 'a', policies: ['affinity'] }, 400, '2.64'],
    [{ name: 'a', policy: 'affinity' }, 400, '2.63'],
    [{ name: 'a', policy: 'affinity' }, 200, '2.64'],
    [{ name: 'a', policy: 'affinity', rules: { max_server_per_host: 2 } }, 400, '2.64'],
    [{ name: 'a', policy: 'anti-affinity', rules: { max_server_per_host: 0 } }, 400, '2.64'],
    [{ name: 'a', policy: 'anti-affinity', rules: { max_server_per_host: 2 } }, 200, '2.64'],
    [{ policies: ['affinity'] }, 400],
  ]
  let id = ''
  for (const [group, status, version] of cases) {
    const reply = await post(group, version)
    assert.equal(reply.status, status, JSON.stringify([group, version, reply.body]))
    if (status === 200) id = reply.body.server_group.id
  }
  const at = async (version?: string) =>
    (await world.call(`GET /os-server-groups/${id}`, { version })).body.server_group
  assert.deepEqual(await at(), { id, name: 'a', members: [], policies: ['anti-affinity'], metadata: {} })
  assert.equal((await at('2.13')).project_id, 'p1')
  assert.deepEqual(
    [(await at('2.64')).policy, (await at('2.64')).rules],
    ['anti-affinity', { max_server_per_host: 2 }],
  )
})

test('groups belong to their project', async () => {
  await using world = await makeWorld()
  const body = { server_group: { name: 'a', policies: ['affinity'] } }
  const { id } = (await world.call('POST /os-server-groups', { body })).body.server_group
  const count = async (query: string, as: string) =>
    (await world.call(`GET /os-server-groups${query}`, { as })).body.server_groups.length
  assert.deepEqual(
    [await count('', 'member'), await count('', 'stranger'), await count('?all_projects=1', 'stranger')],
    [1, 0, 0],
  )
  assert.equal((await world.call(`GET /os-server-groups/${id}`, { as: 'stranger' })).status, 404)
  assert.equal((await world.call(`DELETE /os-server-groups/${id}`, { as: 'stranger' })).status, 404)
  assert.equal((await world.call(`DELETE /os-server-groups/${id}`, { as: 'reader' })).status, 403)
  assert.equal((await world.call(`DELETE /os-server-groups/${id}`)).status, 204)
  assert.equal((await world.call(`GET /os-server-groups/${id}`)).status, 404)
})
