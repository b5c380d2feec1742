import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sendByInject } from '../../base/http/client.ts'
import { startWorld } from '../../identity/api/identity-world.ts'
import { adminClient } from '../admin-client.ts'
import { registerServices } from './register-services.ts'

test('users, roles, services and endpoints are made once, and put right where they are other', async () => {
  await using world = await startWorld()
  const identity = sendByInject(world.identity.app)
  const sends = { identity, image: identity, placement: identity, compute: identity, network: identity }
  const register = async (controller: string, nova: string) => {
    const admin = await adminClient(sends, 'secret')
    return registerServices({ admin, identity }, { controller, users: { nova, glance: 'glance-secret' } })
  }
  // The world has a user nova with another password, and nova at another place.
  const first = await register('controller', 'new-secret')
  assert.ok(first.includes('user glance') && first.includes('password of user nova'), first.join('\n'))
  assert.ok(first.includes('public endpoint of nova: http://controller:8774/v2.1'), first.join('\n'))
  assert.deepEqual(await register('controller', 'new-secret'), [])
  assert.deepEqual(await register('controller', 'newer-secret'), ['password of user nova'])
  const moved = await register('other', 'newer-secret')
  assert.equal(moved.length, 15)
  const { endpoints } = await world.admin('GET', '/v3/endpoints')
  const urls = endpoints.map(({ url }: { url: string }) => url)
  assert.equal(urls.filter((url: string) => url === 'http://other:9696').length, 3)
  assert.ok(!urls.some((url: string) => url.includes('controller')))
  const scope = { project: { name: 'service', domain: { id: 'default' } } }
  await world.login('nova', 'newer-secret', scope)
  await assert.rejects(world.login('nova', 'nova-secret', scope), /no login/)
})
