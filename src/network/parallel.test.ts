/**
 * Two servers on one database, asked at once, as two workers of neutron-server are; on SQLite one, for two connections
 * of one process would wait for each other.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDialect } from '#testing/databases/dialect.ts'
import { testDatabase } from '#testing/databases/test-database.ts'
import type { NetworkOptions } from './config.ts'
import { networkMigrations } from './store/migrations/list.ts'
import { dhcpAgent, made, testNetwork } from './test-network.ts'

async function twoServers(options: Partial<NetworkOptions>) {
  const life = new AsyncDisposableStack()
  const { url: databaseUrl } = life.use(await testDatabase(networkMigrations, { shared: true }))
  const one = life.use(await testNetwork({ databaseUrl, options }))
  const other = testDialect === 'sqlite' ? one : life.use(await testNetwork({ databaseUrl, options }))
  return {
    one,
    other,
    /** Posts so many at once, to both in turn; gives how often each status was answered. */
    async post(count: number, path: string, body: (index: number) => object) {
      const answers = await Promise.all(
        Array.from({ length: count }, (_, index) =>
          (index % 2 === 0 ? one : other).member('POST', path, body(index)),
        ),
      )
      const statuses = answers.map((answer) => answer.status)
      return { answers, count: (status: number) => statuses.filter((each) => each === status).length }
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  }
}

test('twenty ports asked of a /28 at once: thirteen get an address each, seven are told that there is none', async () => {
  await using servers = await twoServers({ quotas: {} })
  const network = await made(servers.one.member, '/networks', 'network', {})
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/28' }
  await made(servers.one.member, '/subnets', 'subnet', subnet)
  const ports = await servers.post(20, '/ports', () => ({ port: { network_id: network.id } }))
  assert.deepEqual([ports.count(201), ports.count(409)], [13, 7])
  const fine = ports.answers.filter((answer) => answer.status === 201)
  assert.equal(new Set(fine.map((answer) => answer.body.port.fixed_ips[0].ip_address)).size, 13)
  const rows = await servers.one.db.selectFrom('ipallocations').select('ip_address').execute()
  assert.equal(rows.length, 13)
})

test('what a project may have is counted right, however many ask at once', async () => {
  await using servers = await twoServers({ quotas: { network: 5 } })
  const networks = await servers.post(20, '/networks', () => ({ network: {} }))
  assert.deepEqual([networks.count(201), networks.count(409)], [5, 15])
})

test('networks made at once get segments of their own', async () => {
  await using servers = await twoServers({ quotas: {} })
  const networks = await servers.post(12, '/networks', () => ({ network: {} }))
  assert.equal(networks.count(201), 12)
  const segments = await servers.one.db.selectFrom('networksegments').select('segmentation_id').execute()
  assert.equal(new Set(segments.map((row) => row.segmentation_id)).size, 12)
})

test('a project’s first ports at once make one default security group', async () => {
  await using servers = await twoServers({ quotas: {} })
  const network = await made(servers.one.admin, '/networks', 'network', { project_id: 'blue' })
  const ports = await servers.post(10, '/ports', () => ({ port: { network_id: network.id } }))
  assert.equal(ports.count(201), 10)
  const groups = await servers.one.member('GET', '/security-groups')
  assert.equal(groups.body.security_groups.length, 1)
})

test('DHCP agents that come at once share the networks: none has one too many', async () => {
  await using servers = await twoServers({ quotas: {} })
  const networks: string[] = []
  for (let index = 0; index < 10; index++) {
    const { id } = await made(servers.one.member, '/networks', 'network', {})
    const subnet = { network_id: id, ip_version: 4, cidr: '10.0.0.0/24' }
    await made(servers.one.member, '/subnets', 'subnet', subnet)
    networks.push(id)
  }
  const report = (host: string, at: number) =>
    (at % 2 === 0 ? servers.one : servers.other).rpc('reportState', dhcpAgent(host))
  await Promise.all(['a', 'b', 'c', 'd'].map(report))
  for (const id of networks) {
    const { body } = await servers.one.admin('GET', `/networks/${id}/dhcp-agents`)
    assert.equal(body.agents.length, 1)
  }
})
