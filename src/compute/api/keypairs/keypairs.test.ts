import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { makeWorld } from '../testing/world.ts'

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbEkBSjHAZBEAJkTCy4yKqIWbgWBn6q1x4qjQh9i8VR me@home'

test('a keypair is made, shown, listed and deleted, with the fields and statuses of its version', async () => {
  await using world = await makeWorld()
  const made = await world.call('POST /os-keypairs', { version: '2.2', body: { keypair: { name: 'k' } } })
  assert.equal(made.status, 201)
  const { private_key, public_key, fingerprint, ...rest } = made.body.keypair
  assert.deepEqual(rest, { name: 'k', user_id: 'u-member', type: 'ssh' })
  assert.match(fingerprint, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/)
  assert.match(public_key, /^ssh-rsa AAAAB3NzaC1yc2E\S+ Generated-by-Nova$/)
  assert.equal(createPrivateKey(private_key).asymmetricKeyType, 'rsa')

  const first = await world.call('GET /os-keypairs/k')
  assert.deepEqual(
    [first.body.keypair.type, first.body.keypair.deleted, first.body.keypair.fingerprint],
    [undefined, false, fingerprint],
  )
  const list = async (version?: string) => (await world.call('GET /os-keypairs', { version })).body.keypairs
  assert.deepEqual(Object.keys((await list())[0].keypair).sort(), ['fingerprint', 'name', 'public_key'])
  assert.equal((await list('2.2'))[0].keypair.type, 'ssh')
  assert.equal((await world.call('DELETE /os-keypairs/k', { version: '2.2' })).status, 204)
  const gone = await world.call('DELETE /os-keypairs/k')
  assert.deepEqual(
    [gone.status, gone.body.itemNotFound.message],
    [404, 'Keypair k not found for user u-member'],
  )
})

test('keys are imported with their fingerprint, and bad ones refused', async () => {
  await using world = await makeWorld()
  const post = async (keypair: object, version?: string, as = 'member') =>
    await world.call('POST /os-keypairs', { as, version, body: { keypair } })
  const imported = await post({ name: 'k', public_key: publicKey })
  assert.equal(imported.status, 200)
  assert.equal(imported.body.keypair.fingerprint.length, 47)
  assert.equal('private_key' in imported.body.keypair, false)
  const cases: [object, number, string?][] = [
    [{ name: 'k', public_key: publicKey }, 409],
    [{ name: 'x', public_key: 'ssh-rsa AAAA' }, 400],
    [{ name: 'x', public_key: 'nonsense' }, 400],
    [{ name: 'a@b', public_key: publicKey }, 400, '2.91'],
    [{ name: 'a@b', public_key: publicKey }, 201, '2.92'],
    [{ name: 'n' }, 400, '2.92'],
    [{ name: 'n', type: 'ssh' }, 400],
    [{ name: 'n', type: 'x509', public_key: 'x' }, 400, '2.2'],
    [{ name: 'n', public_key: publicKey, user_id: 'u' }, 400, '2.9'],
    [{ name: 'n', public_key: publicKey, user_id: 'u' }, 403, '2.10'],
  ]
  for (const [keypair, status, version] of cases) {
    const reply = await post(keypair, version)
    assert.equal(reply.status, status, JSON.stringify([keypair, version, reply.body]))
  }
  assert.equal((await post({ name: 'n', public_key: publicKey, user_id: 'u' }, '2.10', 'admin')).status, 201)
  const others = await world.call('GET /os-keypairs?user_id=u', { as: 'admin', version: '2.10' })
  assert.equal(others.body.keypairs.length, 1)
})

test('keypairs are paged since 2.35 and limited by quota', async () => {
  await using world = await makeWorld()
  for (const name of ['a', 'b', 'c'])
    await world.call('POST /os-keypairs', { body: { keypair: { name, public_key: publicKey } } })
  const page = await world.call('GET /os-keypairs?limit=1&marker=a', { version: '2.35' })
  assert.equal(page.body.keypairs[0].keypair.name, 'b')
  assert.match(page.body.keypairs_links[0].href, /limit=1&marker=b$/)
  assert.equal((await world.call('GET /os-keypairs?marker=zz', { version: '2.35' })).status, 400)
  assert.equal((await world.call('GET /os-keypairs?limit=1')).body.keypairs.length, 3)
  const body = { quota_set: { key_pairs: 3 } }
  await world.call('PUT /os-quota-sets/p1', { as: 'admin', body })
  const over = await world.call('POST /os-keypairs', {
    body: { keypair: { name: 'd', public_key: publicKey } },
  })
  assert.deepEqual([over.status, over.body.forbidden.message], [403, 'Quota exceeded, too many key pairs.'])
  assert.equal((await world.call('GET /os-keypairs')).body.keypairs.length, 3)
})

test('an x509 keypair is a certificate that its key signed', async () => {
  await using world = await makeWorld()
  const body = { keypair: { name: 'w', type: 'x509' } }
  const { keypair } = (await world.call('POST /os-keypairs', { version: '2.2', body })).body
  const certificate = new X509Certificate(keypair.public_key)
  assert.equal(certificate.subject, 'CN=u-member')
  assert.ok(certificate.verify(certificate.publicKey))
  assert.ok(certificate.checkPrivateKey(createPrivateKey(keypair.private_key)))
  assert.equal(keypair.fingerprint.length, 59)
})
