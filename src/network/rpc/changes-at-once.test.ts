/** Several servers on one database, whose transactions end in another order than they began. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDialect } from '#testing/databases/dialect.ts'
import { testDatabase } from '#testing/databases/test-database.ts'
import { WantedState } from '../agents/bridge/wanted-state.ts'
import { system } from '../api/caller.ts'
import { mechanismDrivers } from '../ml2/binding.ts'
import { updatePort } from '../ml2/update-port.ts'
import { networkMigrations } from '../store/migrations/list.ts'
import { bridgeAgent, made, type TestNetwork, testNetwork } from '../test-network.ts'
import { inWork } from '../work.ts'
import { parseChanges } from './changes.ts'
import { newsSince } from './news.ts'

const hosts = ['one', 'two'] as const

/** What a host's agent knows, in an order of its own and without status, of which it is not told. */
function content(state: WantedState): string {
  const ports = [...state.ports.values()].map(({ status: _, ...port }) => port)
  const members = [...state.members.values()].flatMap((of) => [...of])
  const remote = [...state.remotePorts.values()].flatMap((of) => [...of])
  const texts = [ports, members, remote].map((list) => list.map((item) => JSON.stringify(item)).sort())
  return JSON.stringify(texts)
}

async function read(server: TestNetwork, state: WantedState): Promise<void> {
  const asked = { host: 'one', revision: state.revision, known: state.known() }
  state.apply(await server.agentServer.wantedL2(asked))
}

/** Hears the news of a server, and asks only for the host's own; returns how far the server told. */
async function hear(server: TestNetwork, told: string | null, state: WantedState): Promise<string> {
  const deps = { db: server.db, options: server.options, now: () => new Date().toISOString() }
  const { revision, news } = await newsSince(deps, told)
  if (news === undefined) return revision
  const standing = state.standing(news, 'one')
  assert.notEqual(standing, 'missed')
  if (standing === 'ask') {
    const asked = { host: 'one', revision: state.ownRevision, known: state.known(), own: true }
    state.apply(await server.agentServer.wantedL2(asked), true)
  }
  if (standing !== 'known') state.follow(news, 'one')
  return revision
}

test('no change is missed by one who asks while many are made at once', async () => {
  await using life = new AsyncDisposableStack()
  const { url: databaseUrl } = life.use(await testDatabase(networkMigrations))
  const options = { quotas: {} }
  const one = life.use(await testNetwork({ databaseUrl, options }))
  // Two connections to SQLite in one process would wait for each other for ever.
  const two = testDialect === 'sqlite' ? one : life.use(await testNetwork({ databaseUrl, options }))
  for (const [index, host] of hosts.entries())
    await one.rpc('reportState', bridgeAgent(host, { tunneling_ip: `192.0.2.${index}` }))
  const network = await made(one.member, '/networks', 'network', { name: 'net' })
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/16' }
  await made(one.member, '/subnets', 'subnet', subnet)

  const state = new WantedState()
  const hearing = new WantedState()
  await read(one, hearing)
  const told = [hearing.revision, hearing.revision]
  const hearOne = async (which: number) => {
    told[which] = await hear(which === 0 ? one : two, told[which]!, hearing)
  }
  let ended = false
  const following = (async () => {
    for (let turn = 0; !ended; turn++) {
      await read(turn % 2 === 0 ? one : two, state)
      await hearOne(turn % 3 === 0 ? 0 : 1)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  })()
  const ports: string[] = []
  const client = async (number: number) => {
    for (let turn = 0; turn < 12; turn++) {
      const server = (number + turn) % 2 === 0 ? one : two
      const host = hosts[turn % 2]
      const port = { network_id: network.id, device_owner: 'compute:nova', 'binding:host_id': host }
      ports.push((await made(server.admin, '/ports', 'port', port)).id)
      // Others may delete or move the same one.
      const other = `/ports/${ports[Math.floor(ports.length / 2)]}`
      const move = { port: { 'binding:host_id': hosts[number % 2] } }
      const answer =
        turn % 3 === 0 ? await server.admin('DELETE', other) : await server.admin('PUT', other, move)
      assert.ok([200, 204, 404].includes(answer.status), JSON.stringify(answer.body))
    }
  }
  try {
    await Promise.all(Array.from({ length: 8 }, (_, number) => client(number)))
  } finally {
    ended = true
    await following
  }
  await read(two, state)
  const fresh = new WantedState()
  await read(one, fresh)
  assert.equal(content(state), content(fresh))
  for (const which of [0, 1]) await hearOne(which)
  assert.equal(content(hearing), content(fresh))
  const log = await one.db.selectFrom('agent_changes').select('revision').orderBy('revision').execute()
  const first = Number(log[0]!.revision)
  assert.deepEqual(
    log.map((row) => Number(row.revision)),
    log.map((_, index) => first + index),
  )
})

test('who deletes a port that is just being moved tells the host that it moved to', async () => {
  await using cloud = await testNetwork()
  for (const host of hosts) await cloud.rpc('reportState', bridgeAgent(host))
  const network = await made(cloud.member, '/networks', 'network', { name: 'net' })
  const port = await cloud.client('admin:blue').createPort({ networkId: network.id, host: 'one' })
  const deps = {
    db: cloud.db,
    options: cloud.options,
    clock: { now: () => Date.now() },
    wakeAgents: () => undefined,
    outbox: undefined,
  }
  const moved = Promise.withResolvers<void>()
  const committing = Promise.withResolvers<void>()
  const moving = inWork(deps, async (work) => {
    const row = await work.db
      .selectFrom('ports')
      .selectAll()
      .where('id', '=', port.id)
      .executeTakeFirstOrThrow()
    await updatePort(work, mechanismDrivers(cloud.options), row, { 'binding:host_id': 'two' }, system)
    moved.resolve()
    await committing.promise
  })
  await moved.promise
  const deleting = cloud.admin('DELETE', `/ports/${port.id}`)
  // As much as it can do before the other one commits.
  await new Promise((resolve) => setTimeout(resolve, 100))
  committing.resolve()
  await moving
  assert.equal((await deleting).status, 204)
  const log = await cloud.db
    .selectFrom('agent_changes')
    .select('changes')
    .orderBy('revision', 'desc')
    .executeTakeFirstOrThrow()
  assert.deepEqual(parseChanges(log.changes).ports.get(port.id)?.hosts, ['two'])
})
