import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sendByInject } from '#base/http/client.ts'
import { silentLogger } from '#base/log.ts'
import { bootstrap } from './api/identity-world.ts'
import { passwordAuthenticator } from './client.ts'
import { startIdentity } from './service.ts'

test('two processes on one database and key directory take each other’s tokens, and learn what changed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'identity-'))
  let now = Date.now()
  const clock = { now: () => now }
  const start = () =>
    startIdentity({
      databaseUrl: `sqlite:///${join(directory, 'identity.db')}`,
      keyDirectory: join(directory, 'keys'),
      publicUrl: 'http://controller:5000',
      log: silentLogger,
      passwordHashRounds: 1,
      clock,
    })
  {
    await using first = await start()
    await using second = await start()
    await first.bootstrap(bootstrap)
    const credentials = { username: 'nova', password: 'nova-secret', projectName: 'service' }
    const logIn = () => passwordAuthenticator(sendByInject(first.app), credentials, clock)()
    const token = await logIn()
    assert.equal((await second.validator.validate(token))?.userName, 'nova')
    await first.app.inject({
      method: 'DELETE',
      url: '/v3/auth/tokens',
      headers: { 'x-auth-token': token, 'x-subject-token': token },
    })
    now += 1001
    assert.equal(await second.validator.validate(token), undefined)
    first.keys.rotate()
    first.keys.rotate()
    assert.notEqual(await second.validator.validate(await logIn()), undefined)
    assert.equal(statSync(join(directory, 'keys')).mode & 0o777, 0o700)
    for (const name of readdirSync(join(directory, 'keys'))) {
      assert.equal(statSync(join(directory, 'keys', name)).mode & 0o777, 0o600, name)
    }
    assert.doesNotMatch(readFileSync(join(directory, 'identity.db')).toString('latin1'), /nova-secret/)
  }
  rmSync(directory, { recursive: true })
})
