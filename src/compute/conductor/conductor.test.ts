import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '#testing/until.ts'
import { openDatabase } from '../../base/db/database.ts'
import { isFault } from '../../base/errors.ts'
import { silentLogger } from '../../base/log.ts'
import { requestBuilds } from '../rpc/request-work.ts'
import { listActionEvents, listActions } from '../store/actions.ts'
import type { CellTables } from '../store/cell-tables.ts'
import { deleteComputeNodes } from '../store/compute-nodes.ts'
import { destroyGuest } from './destroy-guest.ts'
import { syncGuests } from './power-sync.ts'
import { settleTasks } from './tasks/settle-tasks.ts'
import { computeWorld, newBuild } from './world.ts'

test('a server is built: claimed, recorded, connected, spawned and active, with its action', async () => {
  await using world = await computeWorld()
  const uuid = await world.create({ name: 'web' })
  const server = await world.show(uuid)
  assert.deepEqual([server.vm_state, server.task_state, server.power_state], ['active', null, 1])
  assert.equal(server.availability_zone, 'nova')
  assert.equal(server.networkInfo[0]?.network.label, 'private')
  const guest = await world.drivers.get(server.host!)!.guestState(uuid)
  assert.deepEqual([guest?.power, guest?.name], ['running', 'instance-00000001'])
  const { allocations } = await world.placement.client.getAllocations(uuid)
  assert.deepEqual(Object.values(allocations)[0]?.resources, { VCPU: 1, MEMORY_MB: 512, DISK_GB: 1 })
  const [action] = await listActions(server.cell!.db, uuid)
  const [event] = await listActionEvents(server.cell!.db, [action!.id])
  assert.deepEqual(
    [action?.action, event?.event, event?.result],
    ['create', 'compute__do_build_and_run_instance', 'Success'],
  )
  assert.deepEqual(await world.leftovers(uuid), [
    `guest on ${server.host}`,
    `port ${server.networkInfo[0]?.id}`,
    'allocations',
  ])
  await world.remove(uuid)
  assert.equal(await world.find(uuid), undefined)
  assert.deepEqual(await world.leftovers(uuid), [])
})

test('a server that fits nowhere is in ERROR, and says which resource refused which host', async () => {
  await using world = await computeWorld()
  const uuid = await world.create({ memoryMb: 100_000 })
  const server = await world.show(uuid)
  assert.deepEqual([server.vm_state, server.cell?.name, server.host], ['error', 'cell0', null])
  assert.match(
    server.fault!.message,
    /^No valid host was found\. host1, host2: placement: does not have 100000 of MEMORY_MB\.$/,
  )
  assert.deepEqual(await world.leftovers(uuid), [])
  await world.remove(uuid)
  assert.equal(await world.find(uuid), undefined)
})

test('a filter that refuses a host is named', async () => {
  await using world = await computeWorld()
  const uuid = await world.create({ changes: { availabilityZone: 'moon' } })
  const { fault } = await world.show(uuid)
  assert.match(fault!.message, /host1, host2: AvailabilityZoneFilter: it is in zone nova, not in moon\./)
})

test('a build that fails on every host leaves nothing behind but the reason', async () => {
  await using world = await computeWorld()
  const uuid = await world.create({ name: 'fail-spawn' })
  const server = await world.show(uuid)
  assert.deepEqual([server.vm_state, server.task_state, server.host], ['error', null, null])
  assert.match(
    server.fault!.message,
    /Build of instance .* on host host[12] failed: The simulated hypervisor/,
  )
  assert.match(server.fault!.message, /No other host: No valid host was found\. host1, host2: it was tried/)
  assert.deepEqual(await world.leftovers(uuid), [])
  await world.remove(uuid)
})

test('a host whose network cannot be bound is left for another', async () => {
  await using world = await computeWorld()
  world.network.badHosts.add('host1')
  for (let count = 0; count < 3; count++) {
    const server = await world.show(await world.create())
    assert.deepEqual([server.vm_state, server.host], ['active', 'host2'])
  }
  world.network.badHosts.add('host2')
  const uuid = await world.create()
  assert.match((await world.show(uuid)).fault!.message, /Binding failed for port/)
  assert.deepEqual(await world.leftovers(uuid), [])
})

test('a server that is deleted while it is built stops being built and goes', async () => {
  await using world = await computeWorld()
  const spawning = Promise.withResolvers<void>()
  for (const driver of world.drivers.values()) {
    driver.spawn = () => {
      spawning.resolve()
      return new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const uuid = await world.ask()
  await spawning.promise
  await world.remove(uuid)
  assert.equal(await world.find(uuid), undefined)
  assert.deepEqual(await world.leftovers(uuid), [])
})

test('a server that is deleted before a conductor took it up goes without a trace', async () => {
  await using world = await computeWorld()
  const uuid = await world.ask()
  await world.remove(uuid)
  assert.equal(await world.find(uuid), undefined)
  assert.deepEqual(await world.leftovers(uuid), [])
})

test("a user's own port is bound to the server, and outlives it unbound", async () => {
  await using world = await computeWorld()
  const port = world.network.addPort()
  const networks = [{ networkId: null, portId: port.id, fixedIp: null, tag: 'nic' }]
  const uuid = await world.create({ changes: { networks } })
  const [vif] = (await world.show(uuid)).networkInfo
  assert.deepEqual([vif?.id, vif?.preserve_on_delete, vif?.tag], [port.id, true, 'nic'])
  const second = await world.show(await world.create({ changes: { networks } }))
  assert.match(second.fault!.message, /is still in use/)
  await world.remove(uuid)
  const left = world.network.ports.get(port.id)
  assert.deepEqual([left?.deviceId, left?.host], ['', ''])
})

test('a server is stopped, started, rebooted, paused and suspended, and refuses what its state forbids', async () => {
  await using world = await computeWorld()
  const uuid = await world.create()
  const states: string[] = []
  const steps = [
    'stop',
    'start',
    'reboot-soft',
    'reboot-hard',
    'pause',
    'unpause',
    'suspend',
    'resume',
  ] as const
  for (const operation of steps) {
    await world.operate(uuid, operation)
    const { vm_state, power_state, task_state } = await world.show(uuid)
    states.push(`${vm_state} ${power_state} ${task_state}`)
  }
  const active = 'active 1 null'
  assert.deepEqual(states, [
    'stopped 4 null',
    active,
    active,
    active,
    'paused 3 null',
    active,
    'suspended 7 null',
    active,
  ])
  await assert.rejects(
    world.operate(uuid, 'start'),
    (error) =>
      isFault(error, 'conflict') &&
      /Cannot 'start' instance .* while it is in vm_state active/.test(error.message),
  )
})

test('an operation that fails says why and leaves the server as it was', async () => {
  await using world = await computeWorld()
  const uuid = await world.create({ name: 'fail-power' })
  await world.operate(uuid, 'stop')
  const server = await world.show(uuid)
  assert.deepEqual([server.vm_state, server.task_state], ['active', null])
  const [action] = await listActions(server.cell!.db, uuid)
  assert.deepEqual([action?.action, action?.message], ['stop', 'Error'])
})

test('a guest that powers itself off is seen as stopped', async () => {
  await using world = await computeWorld()
  const uuid = await world.create()
  const { host } = await world.show(uuid)
  world.drivers.get(host!)!.changeByItself(uuid, 'shutdown')
  while ((await world.show(uuid)).vm_state === 'active') await new Promise(setImmediate)
  const server = await world.show(uuid)
  assert.deepEqual([server.vm_state, server.power_state], ['stopped', 4])
})

test('a host that lives and whose record was deleted is asked what it has', async () => {
  await using world = await computeWorld()
  const [cell] = world.cells.withHosts()
  const { conductor } = world.work
  assert.deepEqual(await conductor.reportHosts({ hosts: ['host1', 'host2'] }), { unknown: [] })
  await deleteComputeNodes(cell!.db, 'host1')
  assert.deepEqual(await conductor.reportHosts({ hosts: ['host1', 'host2'] }), { unknown: ['host1'] })
})

test('what a host said of a guest before something was done to it does not count', async () => {
  await using world = await computeWorld()
  const uuid = await world.create()
  const { host } = await world.show(uuid)
  const { conductor } = world.work
  const stale = { uuid, name: 'instance-00000001', power: 'paused' as const }
  await conductor.syncGuests({ host: host!, guests: [stale] })
  await conductor.syncGuests({ host: host!, guests: [] })
  const server = await world.show(uuid)
  assert.deepEqual([server.vm_state, server.power_state], ['active', 1])
})

test('guests of deleted instances are found as leftovers, guests nobody knows are left alone', async () => {
  await using world = await computeWorld()
  const uuid = await world.create()
  const { host } = await world.show(uuid)
  const guest = { uuid, name: 'instance-00000001', power: 'running' as const }
  const stranger = { uuid: 'stranger', name: 'instance-000000ff', power: 'running' as const }
  const sync = () => world.work.conductor.syncGuests({ host: host!, guests: [guest, stranger] })
  assert.deepEqual(await sync(), { leftovers: [] })
  await world.remove(uuid)
  assert.deepEqual(await sync(), { leftovers: [uuid] })
})

test('a server is deleted while its host is down; its guest is ended when the host is back', async () => {
  await using world = await computeWorld()
  const uuid = await world.create()
  const bystander = await world.create()
  const { host } = await world.show(uuid)
  await world.stopHosts()
  await world.remove(uuid)
  assert.equal(await world.find(uuid), undefined)
  assert.deepEqual(await world.leftovers(uuid), [`guest on ${host}`])
  await world.startHosts()
  await until(async () => ((await world.leftovers(uuid)).length === 0 ? true : undefined), 'the guest to end')
  const server = await world.show(bystander)
  assert.equal((await world.drivers.get(server.host!)!.guestState(bystander))?.power, 'running')
})

test('a host is told of a guest to end even if it looked before the server was gone', async () => {
  await using world = await computeWorld()
  const uuid = await world.create()
  const { host } = await world.show(uuid)
  await world.stopHosts()
  // As in a flow between its first step and its last: nothing but the message says that the guest is no more.
  const { id: cellId } = (await world.show(uuid)).cell!
  await destroyGuest(world.conductor.deps, { uuid, cellId, host: host! })
  await world.startHosts()
  const driver = world.drivers.get(host!)!
  await until(
    async () => ((await driver.guestState(uuid)) === undefined ? true : undefined),
    'the guest to end',
  )
})

test('files of a deleted instance are leftovers, those of one that lives are not', async () => {
  await using world = await computeWorld()
  const uuid = await world.create()
  const remnants = [uuid, 'stranger']
  const { conductor } = world.work
  const sync = (host: string) => conductor.syncGuests({ host, guests: [], remnants })
  assert.deepEqual(await sync('host1'), { leftovers: [] })
  assert.deepEqual(await sync('host2'), { leftovers: [] })
  await world.remove(uuid)
  assert.deepEqual(await sync('host1'), { leftovers: [uuid] })
})

test('a cell that cannot be reached has no leftovers', async () => {
  await using world = await computeWorld()
  const uuid = await world.create()
  await world.remove(uuid)
  const [cell] = world.cells.withHosts()
  // Nothing listens on port 1.
  await using db = openDatabase<CellTables>('mysql+pymysql://nova:nova@127.0.0.1:1/nova')
  const cells = { ...world.cells, withHosts: () => [{ ...cell!, db }] }
  const guests = [{ uuid, name: 'instance-00000001', power: 'running' as const }]
  assert.deepEqual(await syncGuests({ ...world.conductor.deps, cells }, { host: 'host1', guests }), [])
})

type World = Awaited<ReturnType<typeof computeWorld>>

/** Asks for servers of one group at once; gives where each is, or its state where it is nowhere. */
async function buildGroup(world: World, policy: string, count: number): Promise<string[]> {
  const group = {
    uuid: 'g',
    name: 'g',
    user_id: 'user',
    project_id: 'project',
    created_at: '',
    updated_at: null,
  }
  await world.apiDb.insertInto('instance_groups').values(group).execute()
  await world.apiDb.insertInto('instance_group_policy').values({ group_id: 1, policy, rules: '{}' }).execute()
  const asked = Array.from({ length: count }, () =>
    newBuild({ changes: { groupUuid: 'g' } }, world.network.networkId),
  )
  for (const { instance } of asked) {
    const member = { group_id: 1, instance_uuid: instance.row.uuid }
    await world.apiDb.insertInto('instance_group_member').values(member).execute()
  }
  const requester = { requestId: 'req-1', userId: 'user', projectId: 'project' }
  await requestBuilds(world.work, asked, requester)
  const uuids = asked.map(({ instance }) => instance.row.uuid)
  await Promise.all(uuids.map(world.runToEnd))
  const servers = await Promise.all(uuids.map(world.show))
  return servers.map((server) => server.host ?? server.vm_state).toSorted()
}

test('servers of an anti-affinity group go to different hosts, also when they are asked for at once', async () => {
  await using world = await computeWorld()
  assert.deepEqual(await buildGroup(world, 'anti-affinity', 3), ['error', 'host1', 'host2'])
})

for (const [policy, hosts] of [
  ['anti-affinity', 2],
  ['affinity', 1],
] as const) {
  test(`schedulers that do not know what others choose keep to ${policy}`, async () => {
    await using world = await computeWorld()
    const { deps } = world.conductor
    const { scheduler } = deps
    // As two processes choose at the same time: each sees no server of the group anywhere.
    const blind = policy === 'affinity' ? ['host1', 'host2'] : ['host1', 'host1']
    deps.scheduler = {
      ...scheduler,
      select: (spec, excluded) => {
        const host = blind.pop()
        if (host === undefined) return scheduler.select(spec, excluded)
        return scheduler.select({ ...spec, groupUuid: null, requestedHost: host }, excluded)
      },
    }
    const found = await buildGroup(world, policy, 2)
    assert.equal(new Set(found).size, hosts, found.join())
    assert.ok(!found.includes('error'))
  })
}

test('an instance that nobody builds is in ERROR, and can be deleted', async () => {
  await using world = await computeWorld()
  const uuid = await world.create()
  const { db } = (await world.show(uuid)).cell!
  const left = {
    vm_state: 'building',
    task_state: 'networking',
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: null,
  }
  await db.updateTable('instances').set(left).where('uuid', '=', uuid).execute()
  const wake = (subject: string) => world.conductor.flows.wake(subject)
  await settleTasks({ apiDb: world.apiDb, cells: world.cells, wake, log: silentLogger }).run()
  const server = await world.show(uuid)
  assert.deepEqual([server.vm_state, server.task_state], ['error', null])
  assert.match(server.fault!.message, /died/)
  await world.remove(uuid)
  assert.equal(await world.find(uuid), undefined)
})

test('a task that a dead API process left is taken back, a delete is finished', async () => {
  await using world = await computeWorld()
  const [stopping, deleting] = [await world.create(), await world.create()]
  const { db } = (await world.show(stopping)).cell!
  const long = '2026-01-01T00:00:00.000Z'
  const leave = (uuid: string, task_state: string) =>
    db.updateTable('instances').set({ task_state, updated_at: long }).where('uuid', '=', uuid).execute()
  await leave(stopping, 'powering-off')
  await leave(deleting, 'deleting')
  const wake = (subject: string) => world.conductor.flows.wake(subject)
  await settleTasks({ apiDb: world.apiDb, cells: world.cells, wake, log: silentLogger }).run()
  await world.runToEnd(deleting)
  assert.equal((await world.show(stopping)).task_state, null)
  assert.equal(await world.find(deleting), undefined)
})
