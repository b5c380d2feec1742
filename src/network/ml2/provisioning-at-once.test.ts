/** A port waits for its device and for DHCP; two servers on one database hear of the two at the same time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDialect } from '#testing/databases/dialect.ts'
import { testDatabase } from '#testing/databases/test-database.ts'
import { networkMigrations } from '../store/migrations/list.ts'
import { bridgeAgent, dhcpAgent, made, testNetwork } from '../test-network.ts'

test('a port whose last two reports come at once becomes ACTIVE', async () => {
  await using life = new AsyncDisposableStack()
  const { url: databaseUrl } = life.use(await testDatabase(networkMigrations))
  const one = life.use(await testNetwork({ databaseUrl, options: { quotas: {} } }))
  // Two connections to SQLite in one process would wait for each other for ever.
  const two =
    testDialect === 'sqlite' ? one : life.use(await testNetwork({ databaseUrl, options: { quotas: {} } }))
  await one.rpc('reportState', bridgeAgent('host'))
  await one.rpc('reportState', dhcpAgent('host'))
  const network = await made(one.member, '/networks', 'network', { name: 'net' })
  await made(one.member, '/subnets', 'subnet', {
    network_id: network.id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
  })
  const wanted = { network_id: network.id, device_owner: 'compute:nova', 'binding:host_id': 'host' }
  for (let count = 0; count < 30; count++) {
    const { id, status } = await made(one.admin, '/ports', 'port', wanted)
    assert.equal(status, 'DOWN')
    await Promise.all([
      one.agentServer.portsChanged({ host: 'host', up: [id], down: [] }),
      two.agentServer.dhcpReady({ portIds: [id] }),
    ])
    assert.equal((await one.admin('GET', `/ports/${id}`)).body.port.status, 'ACTIVE', `port ${count}`)
  }
})
