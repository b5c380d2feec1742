import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

const config = {
  identity: { driver: 'ldap' },
  ldap: { url: 'ldap://ldap.example.org', password: 'hidden', page_size: 5 },
}
const shown = { identity: { driver: 'ldap' }, ldap: { url: 'ldap://ldap.example.org', page_size: 5 } }

test('a domain is configured whole, by group and by option, and its secrets are stored but never shown', async () => {
  await using world = await startWorld()
  const { domain } = await world.admin('POST', '/v3/domains', { domain: { name: 'other' } })
  const path = `/v3/domains/${domain.id}/config`
  const call = (method: string, tail = '', body?: unknown) =>
    world.call(method, path + tail, world.adminToken, body)
  assert.equal((await call('GET')).status, 404)
  const made = await call('PUT', '', { config })
  assert.deepEqual([made.status, made.body], [201, { config: shown }])
  assert.equal((await call('PUT', '', { config })).status, 200)
  assert.deepEqual((await call('GET', '/ldap')).body, { config: { ldap: shown.ldap } })
  assert.deepEqual((await call('GET', '/ldap/url')).body, { config: { url: 'ldap://ldap.example.org' } })
  assert.equal((await call('GET', '/ldap/password')).status, 404)
  const [stored] = await world.identity.db.selectFrom('sensitive_config').selectAll().execute()
  assert.equal(stored?.option, 'password')
  assert.ok(!stored.value.includes('hidden'))
  const changed = await call('PATCH', '/identity/driver', { config: { driver: 'sql' } })
  assert.deepEqual([changed.status, changed.body.config], [200, { ...shown, identity: { driver: 'sql' } }])
  assert.equal((await call('DELETE', '/identity/driver')).status, 204)
  assert.equal((await call('GET', '/identity')).status, 404)
  assert.equal((await call('DELETE', '/identity')).status, 404)
  assert.equal((await call('DELETE')).status, 204)
  assert.equal((await call('GET')).status, 404)
})

test('what cannot be configured is a 403 that says why', async () => {
  await using world = await startWorld()
  const refused = async (method: string, tail: string, body?: unknown) => {
    const answer = await world.call(method, `/v3/domains${tail}`, world.adminToken, body)
    assert.equal(answer.status, 403, `${method} ${tail}`)
    return answer.body.error.message as string
  }
  const path = '/default/config'
  assert.match(await refused('PUT', path, { config: {} }), /No options specified/)
  assert.match(await refused('PUT', path, { config: { ldap: 'x' } }), /group ldap .*dictionary/)
  assert.match(await refused('PUT', path, { config: { sql: { a: 1 } } }), /Group sql is not supported/)
  assert.match(await refused('PUT', path, { config: { ldap: { a: 1 } } }), /Option a in group ldap/)
  await world.admin('PUT', `/v3/domains${path}`, { config })
  assert.match(await refused('PATCH', `${path}/ldap`, { config: { identity: { driver: 'x' } } }), /instead/)
  assert.match(await refused('PATCH', `${path}/ldap/url`, { config: { user: 'x' } }), /instead/)
  assert.match(await refused('GET', '/config/ldap/password/default'), /password in group ldap/)
  assert.equal((await world.call('PUT', `/v3/domains${path}`, world.adminToken, { config: [1] })).status, 400)
})

test('the defaults are shown to administrators, and the rules for passwords to everybody', async () => {
  await using world = await startWorld()
  const all = await world.admin('GET', '/v3/domains/config/default')
  assert.deepEqual(all.config.identity, { driver: 'sql', list_limit: null })
  assert.deepEqual((await world.admin('GET', '/v3/domains/config/ldap/use_tls/default')).config, {
    use_tls: false,
  })
  await world.admin('POST', '/v3/users', { user: { name: 'ann', password: 'x', domain_id: 'default' } })
  const token = await world.login('ann', 'x')
  const path = '/v3/domains/default/config'
  const rules = await world.call('GET', `${path}/security_compliance`, token)
  assert.deepEqual(rules.body.config, {
    security_compliance: { password_regex: null, password_regex_description: null },
  })
  assert.equal((await world.call('GET', `${path}/security_compliance/lockout_duration`, token)).status, 403)
  assert.equal((await world.call('GET', path, token)).status, 403)
})
