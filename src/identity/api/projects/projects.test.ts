import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld, type World } from '../identity-world.ts'

const names = (projects: { name: string }[]): string[] => projects.map((project) => project.name)

async function create(world: World, project: Record<string, unknown>) {
  return (await world.admin('POST', '/v3/projects', { project })).project
}

test('a project is made in the domain of the token, keeps attributes nobody knows, and is shown with links', async () => {
  await using world = await startWorld()
  const project = await create(world, { name: 'one', description: 'first', colour: 'red', tags: ['a'] })
  const { id, links, ...rest } = project
  assert.deepEqual(rest, {
    name: 'one',
    description: 'first',
    colour: 'red',
    domain_id: 'default',
    parent_id: 'default',
    is_domain: false,
    enabled: true,
    tags: ['a'],
    options: {},
  })
  assert.match(links.self, new RegExp(`/v3/projects/${id}$`))
  assert.deepEqual((await world.admin('GET', `/v3/projects/${id}`)).project, project)
  const changed = await world.admin('PATCH', `/v3/projects/${id}`, {
    project: { name: 'uno', colour: 'blue' },
  })
  assert.deepEqual(
    [changed.project.name, changed.project.colour, changed.project.description],
    ['uno', 'blue', 'first'],
  )
  assert.equal((await world.call('DELETE', `/v3/projects/${id}`, world.adminToken)).status, 204)
  const gone = await world.call('GET', `/v3/projects/${id}`, world.adminToken)
  assert.deepEqual(gone.body.error, {
    code: 404,
    title: 'Not Found',
    message: `Could not find project: ${id}.`,
  })
})

test('bodies that do not fit are refused with the field at fault', async () => {
  await using world = await startWorld()
  const post = async (project: unknown) => world.call('POST', '/v3/projects', world.adminToken, { project })
  assert.equal((await post({})).body.error.message, "'name' is a required property")
  assert.match((await post({ name: '' })).body.error.message, /^Invalid input for field 'name'/)
  for (const project of [
    { name: 'a'.repeat(65) },
    { name: 'x', enabled: 'yes' },
    { name: 'x', tags: ['a/b'] },
    { name: 'x', options: { unknown: true } },
    { name: 'x', is_domain: true, domain_id: 'default' },
  ]) {
    assert.equal((await post(project)).status, 400, JSON.stringify(project))
  }
  assert.equal((await post({ name: 'x', domain_id: 'nowhere' })).status, 404)
  assert.equal((await post({ name: 'x', parent_id: 'nowhere' })).status, 404)
  assert.equal((await post({ name: 'admin' })).status, 409)
})

test('the tree is shown from any project, as lists and as ids, and only leaves can go', async () => {
  await using world = await startWorld()
  const top = await create(world, { name: 'top' })
  const mid = await create(world, { name: 'mid', parent_id: top.id })
  const low = await create(world, { name: 'low', parent_id: mid.id })
  const show = async (id: string, query: string) =>
    (await world.admin('GET', `/v3/projects/${id}?${query}`)).project
  assert.deepEqual((await show(low.id, 'parents_as_ids')).parents, {
    [mid.id]: { [top.id]: { default: null } },
  })
  assert.deepEqual((await show(top.id, 'subtree_as_ids')).subtree, { [mid.id]: { [low.id]: null } })
  const list = (await show(top.id, 'subtree_as_list')).subtree
  assert.deepEqual(names(list.map((item: { project: { name: string } }) => item.project)).sort(), [
    'low',
    'mid',
  ])
  assert.equal((await world.call('DELETE', `/v3/projects/${top.id}`, world.adminToken)).status, 403)
  const disable = { project: { enabled: false } }
  assert.equal((await world.call('PATCH', `/v3/projects/${mid.id}`, world.adminToken, disable)).status, 403)
  const move = { project: { parent_id: top.id } }
  assert.equal((await world.call('PATCH', `/v3/projects/${low.id}`, world.adminToken, move)).status, 403)
})

test('the tree ends at five projects below the domain', async () => {
  await using world = await startWorld()
  let parent = 'default'
  for (const depth of [1, 2, 3, 4, 5])
    parent = (await create(world, { name: `d${depth}`, parent_id: parent })).id
  const body = { project: { name: 'd6', parent_id: parent } }
  assert.equal((await world.call('POST', '/v3/projects', world.adminToken, body)).status, 403)
})

test('lists are filtered by attributes, by parts of names and by tags', async () => {
  await using world = await startWorld()
  await create(world, { name: 'alpha', tags: ['red', 'blue'] })
  await create(world, { name: 'beta', tags: ['red'], enabled: false })
  const list = async (query: string) => names((await world.admin('GET', `/v3/projects?${query}`)).projects)
  assert.deepEqual(await list(''), ['admin', 'alpha', 'beta', 'service'])
  assert.deepEqual(await list('name=alpha'), ['alpha'])
  assert.deepEqual(await list('enabled=false'), ['beta'])
  assert.deepEqual(await list('name__contains=et'), ['beta'])
  assert.deepEqual(await list('name__istartswith=AL'), ['alpha'])
  assert.deepEqual(await list('domain_id=other'), [])
  assert.deepEqual(await list('is_domain=true'), ['Default'])
  assert.deepEqual(await list('tags=red,blue'), ['alpha'])
  assert.deepEqual(await list('tags-any=blue,green'), ['alpha'])
  assert.deepEqual(await list('not-tags-any=red'), ['admin', 'service'])
  assert.deepEqual(await list('not-tags=red,blue'), ['admin', 'beta', 'service'])
  const { links } = await world.admin('GET', '/v3/projects?name=alpha')
  assert.deepEqual(links, { self: 'http://localhost:80/v3/projects?name=alpha', next: null, previous: null })
})

test('tags are set one by one and all at once', async () => {
  await using world = await startWorld()
  const { id } = await create(world, { name: 'tagged' })
  const status = async (method: string, path: string, body?: unknown) =>
    (await world.call(method, `/v3/projects/${id}/tags${path}`, world.adminToken, body)).status
  assert.equal(await status('PUT', '/one'), 201)
  assert.equal(await status('GET', '/one'), 204)
  assert.equal(await status('HEAD', '/two'), 404)
  assert.equal(await status('PUT', '', { tags: ['a', 'b'] }), 200)
  assert.equal(await status('PUT', '', { tags: ['a', 'a'] }), 400)
  assert.deepEqual((await world.admin('GET', `/v3/projects/${id}/tags`)).tags, ['a', 'b'])
  assert.equal(await status('DELETE', '/a'), 204)
  assert.equal(await status('DELETE', '/a'), 404)
  assert.equal(await status('DELETE', ''), 204)
  assert.deepEqual((await world.admin('GET', `/v3/projects/${id}`)).project.tags, [])
})

test('what is immutable cannot change or go until it is made mutable again', async () => {
  await using world = await startWorld()
  const { id } = await create(world, { name: 'fixed', options: { immutable: true } })
  const patch = async (project: unknown) =>
    (await world.call('PATCH', `/v3/projects/${id}`, world.adminToken, { project })).status
  assert.equal(await patch({ description: 'x' }), 403)
  assert.equal((await world.call('DELETE', `/v3/projects/${id}`, world.adminToken)).status, 403)
  assert.equal(await patch({ options: { immutable: false } }), 200)
  assert.equal((await world.call('DELETE', `/v3/projects/${id}`, world.adminToken)).status, 204)
})

test('a member sees its own project and no other', async () => {
  await using world = await startWorld()
  const { user } = await world.admin('POST', '/v3/users', { user: { name: 'ann', password: 'x' } })
  const mine = await create(world, { name: 'mine' })
  const role = (await world.admin('GET', '/v3/roles?name=member')).roles[0]
  await world.admin('PUT', `/v3/projects/${mine.id}/users/${user.id}/roles/${role.id}`)
  const token = await world.login('ann', 'x', { project: { id: mine.id } })
  const other = await create(world, { name: 'other' })
  assert.equal((await world.call('GET', `/v3/projects/${mine.id}`, token)).status, 200)
  assert.equal((await world.call('GET', `/v3/projects/${other.id}`, token)).status, 403)
  assert.equal((await world.call('GET', '/v3/projects/nowhere', token)).status, 403)
  assert.equal((await world.call('GET', '/v3/projects', token)).status, 403)
  assert.deepEqual(names((await world.call('GET', '/v3/auth/projects', token)).body.projects), ['mine'])
  assert.deepEqual(names((await world.call('GET', `/v3/users/${user.id}/projects`, token)).body.projects), [
    'mine',
  ])
})

test('tags and attributes that are added to a project at once are all there afterwards', async () => {
  await using world = await startWorld()
  const { id } = await create(world, { name: 'one' })
  const keys = Array.from({ length: 8 }, (_, index) => `k${index}`)
  const path = `/v3/projects/${id}`
  const replies = await Promise.all(
    keys.flatMap((key) => [
      world.call('PUT', `${path}/tags/${key}`, world.adminToken),
      world.call('PATCH', path, world.adminToken, { project: { [key]: 'v' } }),
    ]),
  )
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([201, 200]))
  const { project } = await world.admin('GET', path)
  assert.deepEqual(project.tags, keys)
  assert.deepEqual(
    keys.map((key) => project[key]),
    keys.map(() => 'v'),
  )
})
