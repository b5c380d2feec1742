import assert from 'node:assert/strict'
import { test } from 'node:test'
import { believingTokens } from './noauth.ts'

test('with noauth2 the token is user and project, and the user admin an administrator', async () => {
  const tokens = believingTokens('noauth2')
  const who = async (headers: Record<string, string>) => {
    const known = await tokens.believe!(headers)
    return known === undefined ? undefined : [known.userId, known.projectId, known.roles.join()]
  }
  assert.deepEqual(await who({ 'x-auth-token': 'ann:shop' }), ['ann', 'shop', 'member,reader'])
  assert.deepEqual(await who({ 'x-auth-token': 'ann' }), ['ann', 'ann', 'member,reader'])
  assert.deepEqual(await who({ 'x-auth-token': 'ann:a:b' }), ['ann', 'a:b', 'member,reader'])
  assert.deepEqual(await who({ 'x-auth-token': 'admin:shop' }), ['admin', 'shop', 'admin,member,reader'])
  assert.deepEqual(await who({ 'x-auth-token': 'ann', 'x-roles': 'Admin, reader' }), [
    'ann',
    'ann',
    'admin,reader',
  ])
  assert.equal(await who({}), undefined)
  assert.equal(await who({ 'x-auth-token': '' }), undefined)
})

test('with noauth everybody is an administrator', async () => {
  const known = await believingTokens('noauth').believe!({})
  assert.deepEqual([known?.userId, known?.roles.includes('admin')], ['admin', true])
})

test('other services are called with the token of the service itself', async () => {
  const known = await believingTokens('noauth2', async () => 'of the service').believe!({
    'x-auth-token': 'ann:shop',
  })
  assert.equal(known?.token, 'of the service')
})
