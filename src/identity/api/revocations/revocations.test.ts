import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

test('revoked tokens are listed as events, and signed tokens are gone', async () => {
  await using world = await startWorld()
  await world.admin('POST', '/v3/users', { user: { name: 'ann', password: 'x', domain_id: 'default' } })
  const token = await world.login('ann', 'x')
  const headers = { 'x-subject-token': token }
  assert.equal(
    (await world.call('DELETE', '/v3/auth/tokens', world.adminToken, undefined, headers)).status,
    204,
  )
  const { events } = await world.admin('GET', '/v3/OS-REVOKE/events')
  assert.equal(events.length, 1)
  assert.deepEqual(Object.keys(events[0]), ['audit_id', 'issued_before'])
  const later = '/v3/OS-REVOKE/events?since=2030-01-01T00:00:00Z'
  assert.deepEqual((await world.admin('GET', later)).events, [])
  const wrong = await world.call('GET', '/v3/OS-REVOKE/events?since=soon', world.adminToken)
  assert.equal(wrong.status, 400)
  assert.equal((await world.call('GET', '/v3/OS-SIMPLE-CERT/ca')).status, 410)
  assert.equal((await world.call('GET', '/v3/auth/tokens/OS-PKI/revoked')).status, 403)
})
