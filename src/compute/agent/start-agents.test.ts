import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '#testing/until.ts'
import { createMemoryBus } from '../../base/bus/memory.ts'
import { type RpcHandlers, rpcClient, serveRpc } from '../../base/bus/rpc.ts'
import { Fault } from '../../base/errors.ts'
import { silentLogger } from '../../base/log.ts'
import { agentRpc, type Guest } from '../rpc/agent.ts'
import { conductorRpc } from '../rpc/conductor.ts'
import { FakeDriver } from '../virt/fake/driver.ts'
import { startAgents } from './start-agents.ts'

const guestOf = (uuid: string, displayName = 'server'): Guest => ({
  uuid,
  name: `instance-${uuid}`,
  displayName,
  projectId: 'project',
  userId: 'user',
  vcpus: 1,
  memoryMb: 512,
  rootGb: 1,
  ephemeralGb: 0,
  swapMb: 0,
  flavorName: 'm1.tiny',
  extraSpecs: {},
  image: null,
  vifs: [],
  configDrive: null,
})

const images = { download: async () => undefined }

/** An agent of one host, and a conductor that finds the guests of `gone` to be no more. */
async function agentWorld(changes: Partial<RpcHandlers<typeof conductorRpc.methods>> = {}) {
  const life = new AsyncDisposableStack()
  const bus = createMemoryBus()
  life.defer(() => bus.close())
  const gone = new Set<string>()
  const syncs: string[][] = []
  const nothing = () => undefined
  const handlers: RpcHandlers<typeof conductorRpc.methods> = {
    wake: nothing,
    cancelled: nothing,
    portsPlugged: nothing,
    externalEvents: nothing,
    hostsChanged: nothing,
    powerChanged: nothing,
    hostsStarted: () => ({}),
    reportHosts: () => ({ unknown: [] }),
    syncGuests({ guests, remnants = [] }) {
      const uuids = [...guests.map(({ uuid }) => uuid), ...remnants]
      syncs.push(uuids)
      return { leftovers: uuids.filter((uuid) => gone.has(uuid)) }
    },
    ...changes,
  }
  life.use(await serveRpc(bus, conductorRpc, { server: 'controller' }, handlers))
  const driver = new FakeDriver({ host: 'host1' })
  const hosts = [{ host: 'host1', driver, hostIp: '127.0.0.1' }]
  let reconnect = (): void => undefined
  // In memory the connection is never lost.
  bus.watch = (listener) => {
    reconnect = () => listener({ ...bus.state(), connected: true })
    return { [Symbol.dispose]: () => undefined }
  }
  const agent = rpcClient(bus, agentRpc)
  const to = { server: 'host1' }
  return {
    driver,
    gone,
    syncs,
    start: async () => void life.use(await startAgents({ hosts, bus, images, log: silentLogger })),
    reconnect: () => reconnect(),
    spawn: (uuid: string) => agent.spawn({ guest: guestOf(uuid), paused: false }, to),
    reap: (uuid: string) => agent.reap({ uuid }, to),
    untilEnded: (uuid: string) =>
      until(async () => ((await driver.guestState(uuid)) === undefined ? true : undefined), `${uuid} to end`),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  }
}

test('a guest that was given up while its agent was away is ended when the agent is there', async () => {
  await using world = await agentWorld()
  await world.driver.spawn(guestOf('given-up'), images, { paused: false })
  await world.driver.spawn(guestOf('kept'), images, { paused: false })
  await world.reap('given-up')
  await world.start()
  await world.untilEnded('given-up')
  assert.deepEqual(
    (await world.driver.listGuests()).map(({ uuid }) => uuid),
    ['kept'],
  )
})

test('a guest that is given up while it is built is ended once it is there', async () => {
  await using world = await agentWorld()
  const image = Promise.withResolvers<void>()
  const spawn = world.driver.spawn.bind(world.driver)
  world.driver.spawn = async (...args) => {
    await image.promise
    await spawn(...args)
  }
  await world.start()
  const spawned = world.spawn('late')
  await world.reap('late')
  image.resolve()
  assert.equal((await spawned).power, 'running')
  await world.untilEnded('late')
})

test('guests that are no more are ended when the agent starts and when it is connected again', async () => {
  await using world = await agentWorld()
  for (const uuid of ['first', 'second', 'stays'])
    await world.driver.spawn(guestOf(uuid), images, { paused: false })
  world.gone.add('first')
  await world.start()
  await world.untilEnded('first')
  world.gone.add('second')
  world.reconnect()
  await world.untilEnded('second')
  assert.equal((await world.driver.guestState('stays'))?.power, 'running')
})

test('a guest that cannot be ended keeps no other waiting', async () => {
  await using world = await agentWorld()
  await world.driver.spawn(guestOf('stubborn', 'fail-destroy'), images, { paused: false })
  await world.driver.spawn(guestOf('other'), images, { paused: false })
  world.gone.add('stubborn').add('other')
  await world.start()
  await world.untilEnded('other')
  assert.equal((await world.driver.guestState('stubborn'))?.power, 'running')
})

test('a guest that was given up and cannot be ended is looked for again', async () => {
  await using world = await agentWorld()
  await world.driver.spawn(guestOf('stubborn', 'fail-destroy'), images, { paused: false })
  await world.start()
  await until(async () => (world.syncs.length === 1 ? true : undefined), 'the first look at the guests')
  await world.reap('stubborn')
  await until(async () => (world.syncs.length === 2 ? true : undefined), 'another look')
})

test('what is left of a guest that ended half-way goes too', async () => {
  await using world = await agentWorld()
  const removed: string[] = []
  world.driver.listRemnants = async () => ['half', 'unknown']
  world.driver.destroy = async (uuid) => void removed.push(uuid)
  world.gone.add('half')
  await world.start()
  await until(async () => (removed.length > 0 ? true : undefined), 'the remnant to go')
  assert.deepEqual(removed, ['half'])
})

test('a conductor that cannot tell is no reason to end anything', async () => {
  let asked = 0
  await using world = await agentWorld({
    syncGuests() {
      asked++
      throw new Fault('unavailable', 'The database is away.')
    },
  })
  await world.driver.spawn(guestOf('stays'), images, { paused: false })
  await world.start()
  await until(async () => (asked > 0 ? true : undefined), 'the conductor to be asked')
  assert.equal((await world.driver.guestState('stays'))?.power, 'running')
})

test('what keeps guests from running on a host is told with what the host has', async () => {
  const told: (string | undefined)[] = []
  await using world = await agentWorld({
    hostsStarted: ({ hosts }) => {
      told.push(...hosts.map(({ unfit }) => unfit))
      return {}
    },
  })
  world.driver.unfit = 'virt_type is kvm, and the processor cannot.'
  await world.start()
  assert.deepEqual(told, ['virt_type is kvm, and the processor cannot.'])
})
