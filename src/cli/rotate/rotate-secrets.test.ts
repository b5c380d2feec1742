import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ApiTables } from '../../compute/store/api-tables.ts'
import { listCellMappings, saveCellMapping } from '../../compute/store/cells.ts'
import { apiMigrations } from '../../compute/store/migrations/list.ts'
import { openTestDatabase } from '../../testing/databases/test-database.ts'
import { init } from '../init/init.ts'
import { etc, hostWith } from '../init/init-world.ts'
import { newSecrets } from '../init/secrets.ts'
import { needController } from '../init/store.ts'
import { renewMappingsIn, withPassword } from './cells.ts'
import { expandNames } from './names.ts'
import { rotateSecrets } from './rotate-secrets.ts'

test('secrets are named one by one, or all of a kind', () => {
  assert.deepEqual(expandNames(['metadata', 'user']), [
    'metadata',
    'user.glance',
    'user.placement',
    'user.nova',
    'user.neutron',
  ])
  assert.equal(expandNames([]).length, 12)
  assert.throws(() => expandNames(['user.keystone']), /There is no secret user\.keystone; there are/)
})

test("a URL gets a new password when it is the user's and the place's", () => {
  const renew = (url: string) => withPassword(url, '://nova:', '@controller', 'new')
  assert.equal(
    renew('mysql+pymysql://nova:old@controller/nova?a=b'),
    'mysql+pymysql://nova:new@controller/nova?a=b',
  )
  for (const other of ['mysql://nova:old@controller2/nova', 'mysql://me:old@controller/nova', 'none:///'])
    assert.equal(renew(other), other)
  assert.equal(
    renew('{scheme}://{username}:{password}@{hostname}/nova'),
    '{scheme}://{username}:{password}@{hostname}/nova',
  )
})

test('a rotation that was interrupted goes on with the secrets it has made', async (t) => {
  const said = t.mock.method(console, 'log', () => undefined)
  using host = etc()
  const { directory } = host
  const run = hostWith('10.0.0.11')
  await init('controller', { directory, controller: '10.0.0.11', database: 'sqlite' }, run)
  const before = needController(directory).secrets
  const nova = () => readFileSync(join(directory, 'nova/nova.conf'), 'utf8')
  const original = nova()
  const asked = ['metadata', 'user.nova', 'database.glance']
  const broken = { run, atIdentity: () => Promise.reject(new Error('identity is away')) }
  await assert.rejects(rotateSecrets(asked, { directory }, broken), /identity is away/)
  assert.equal(nova(), original, 'a password is in a file before identity takes it')
  const made = needController(directory).secrets
  assert.notEqual(made.user.nova, before.user.nova)
  assert.deepEqual(
    { ...made, metadata: '', user: { ...made.user, nova: '' }, database: { ...made.database, glance: '' } },
    {
      ...before,
      metadata: '',
      user: { ...before.user, nova: '' },
      database: { ...before.database, glance: '' },
    },
  )

  const seen: string[] = []
  const whole = {
    run,
    atIdentity: async (store: { secrets: { user: { nova: string } } }) => {
      seen.push(store.secrets.user.nova)
      return []
    },
  }
  await rotateSecrets([], { directory }, whole)
  assert.deepEqual(seen, [made.user.nova])
  assert.deepEqual(needController(directory).secrets, made)
  assert.equal(needController(directory).rotation, undefined)
  assert.ok(nova().includes(made.user.nova) && nova().includes(made.metadata))
  assert.ok(!nova().includes(before.user.nova) && !nova().includes(before.metadata))
  const text = said.mock.calls.flatMap((call) => call.arguments as unknown[]).join('\n')
  assert.match(text, /systemctl (reload|restart) .*openstack-nova-api/)
  assert.match(text, /compute\.secrets to each compute host/)
  for (const secret of [made.user.nova, made.metadata]) assert.ok(!text.includes(secret))

  await rotateSecrets(['metadata'], { directory }, whole)
  assert.notEqual(needController(directory).secrets.metadata, made.metadata)
  assert.equal(seen.length, 1, 'identity has no part in the secret of metadata')
})

test("mappings of the controller's own cell get its new passwords, another cell's stay", async () => {
  await using db = await openTestDatabase<ApiTables>(apiMigrations)
  const urls = (host: string, password: string) => ({
    transportUrl: `rabbit://openstack:${password}@${host}:5672/`,
    databaseConnection: `mysql+pymysql://nova:${password}@${host}/nova`,
  })
  const uuids = ['7f3f3c1e-0000-4000-8000-000000000001', '7f3f3c1e-0000-4000-8000-000000000002']
  await saveCellMapping(db, { uuid: uuids[0]!, name: 'cell1', ...urls('controller', 'old') })
  await saveCellMapping(db, { uuid: uuids[1]!, name: 'cell2', ...urls('elsewhere', 'old') })
  const secrets = { ...newSecrets(), rabbit: 'new' }
  secrets.database = { ...secrets.database, nova: 'new' }
  const host = { controller: 'controller', address: '10.0.0.11', providerInterface: 'ens33' }
  await renewMappingsIn(db, { settings: { ...host, database: 'mariadb' }, secrets })
  const found = (await listCellMappings(db)).map((row) => [row.transport_url, row.database_connection])
  const [own, other] = [urls('controller', 'new'), urls('elsewhere', 'old')]
  assert.deepEqual(
    found,
    [own, other].map((one) => [one.transportUrl, one.databaseConnection]),
  )
})
