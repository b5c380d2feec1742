import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pruneChanges } from '../store/agent-changes.ts'
import { bridgeAgent, made, type TestNetwork, testNetwork } from '../test-network.ts'
import { inWork } from '../work.ts'
import { Changes, parseChanges } from './changes.ts'
import { changesSince } from './changes-since.ts'

const knowsNothing = { networks: [], tunnelled: [], securityGroups: [], remoteGroups: [] }

async function aBoundPort(cloud: TestNetwork) {
  await cloud.rpc('reportState', bridgeAgent('one'))
  const network = await made(cloud.member, '/networks', 'network', { name: 'net' })
  return cloud.client('admin:blue').createPort({ networkId: network.id, host: 'one' })
}

test('changes are the same after they were logged and read', () => {
  const changes = new Changes()
  const port = { id: 'p', networkId: 'n', hosts: ['a'], groups: ['g'], dhcp: true, moved: false }
  changes.port(port)
  changes.port({ ...port, hosts: ['b'], groups: ['g', 'h'], dhcp: false, moved: true })
  changes.networks.add('n')
  changes.tunnelHosts.add('a')
  const read = parseChanges(changes.toText())
  assert.deepEqual(read, changes)
  assert.deepEqual(read.ports.get('p'), {
    ...port,
    hosts: ['a', 'b'],
    groups: ['g', 'h'],
    moved: true,
  })
})

test('more changes than a row holds make everybody read all', () => {
  const changes = new Changes()
  for (let n = 0; n < 1000; n++) {
    const id = `${n}`.padStart(36, '0')
    changes.port({ id, networkId: id, hosts: [], groups: [], dhcp: true, moved: false })
  }
  assert.equal(parseChanges(changes.toText()).everything, true)
})

test('one who asks is told what changed since, once', async () => {
  await using cloud = await testNetwork()
  const { revision } = await cloud.wantedL2('one')
  const port = await aBoundPort(cloud)
  const ask = (since: string) =>
    cloud.agentServer.wantedL2({ host: 'one', revision: since, known: knowsNothing })
  const told = await ask(revision)
  assert.equal(told.whole, false)
  assert.deepEqual(
    told.ports.map((each) => each.id),
    [port.id],
  )
  const after = await ask(told.revision)
  assert.deepEqual([after.whole, after.ports, after.revision], [false, [], told.revision])
  await cloud.client('admin:blue').deletePort(port.id)
  assert.deepEqual((await ask(after.revision)).gonePorts, [port.id])
})

test('who asks with a revision that the log does not reach, or of another database, is told all', async () => {
  await using cloud = await testNetwork()
  await using other = await testNetwork()
  const { revision } = await cloud.wantedL2('one')
  await aBoundPort(cloud)
  const told = async (since: string) => (await changesSince(cloud.db, since)).changes !== undefined
  assert.equal(await told(revision), true)
  assert.equal(await told((await other.wantedL2('one')).revision), false)
  const [epoch] = revision.split(':')
  assert.equal(await told(`${epoch}:999999`), false)
  assert.equal(await told(`${epoch}:x`), false)
  await pruneChanges(cloud.db)
  assert.equal(await told(revision), true)
  await cloud.db.deleteFrom('agent_changes').where('revision', '=', 1).execute()
  assert.equal(await told(revision), false)
})

test('a change that is rolled back leaves no gap in the log', async () => {
  await using cloud = await testNetwork()
  const deps = {
    db: cloud.db,
    options: cloud.options,
    clock: { now: () => Date.now() },
    wakeAgents: () => undefined,
    outbox: undefined,
  }
  const { revision } = await changesSince(cloud.db, null)
  const change = (id: string, fail: boolean) =>
    inWork(deps, async (work) => {
      work.changes.networks.add(id)
      if (fail) throw new Error('no')
    })
  await assert.rejects(change('a', true))
  await change('b', false)
  await assert.rejects(change('c', true))
  await change('d', false)
  const { changes } = await changesSince(cloud.db, revision)
  assert.deepEqual([...changes!.networks], ['b', 'd'])
})
