/** A cloud on several hosts, with real guests beside simulated ones, whose programs, broker, database and cables fail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../../src/base/clock.ts'
import { installCloud } from '../../../src/cli/lab/cloud/install.ts'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import type { Person } from '../../../src/testing/cloud-people.ts'
import { ok } from '../../../src/testing/first-things.ts'
import { cannotRunGuests } from '../cloud.ts'
import { reachLab } from '../rig/reach.ts'
import { cannotRunLabs, startRig } from '../rig/rig.ts'
import type { Who } from './alive.ts'
import { listServers } from './holdings.ts'
import { killInTurn, type Scene, seconds, untilAlive } from './kill-in-turn.ts'
import { Load } from './load.ts'
import { guestProcess, realHoldings } from './real-host.ts'
import { assertInOrder, deleteAll, untilNone } from './settle.ts'
import { simulatedHoldings, simulatedHost, simulatedUnits, startSimulatedHost } from './simulated-host.ts'
import { killUnit, type Unit } from './units.ts'

const skip = cannotRunLabs() || cannotRunGuests()
const cutMilliseconds = 60_000
const computes = ['compute1', 'compute2'] as const

const host = 'controller'
const computeUnits = (host: string): Unit[] => [
  { host, unit: 'openstack-nova-compute', binary: 'nova-compute' },
  { host, unit: 'neutron-linuxbridge-agent', binary: 'neutron-linuxbridge-agent' },
  { host, unit: 'libvirtd' },
]
const novaApi: Unit = { host, unit: 'openstack-nova-api', api: 'compute' }
const memcached: Unit = { host, unit: 'memcached' }
const broker: Unit = { host, unit: 'rabbitmq-server' }
const database: Unit = { host, unit: 'mariadb' }

/** Those of a row are killed one after the other, the rows at the same time; compute1 has a row of its own. */
const rows: readonly (readonly Unit[])[] = [
  [
    { host, unit: 'openstack-keystone', api: 'identity' },
    { host, unit: 'openstack-glance-api', api: 'image' },
    { host, unit: 'openstack-placement-api', api: 'placement' },
    novaApi,
    memcached,
  ],
  [
    { host, unit: 'openstack-nova-consoleauth', binary: 'nova-consoleauth' },
    { host, unit: 'openstack-nova-scheduler', binary: 'nova-scheduler' },
    { host, unit: 'openstack-nova-conductor', binary: 'nova-conductor' },
    ...simulatedUnits.map((unit) => {
      const binary = unit.replace(/^simulated-(openstack-)?/, '')
      return { host, unit, binary, at: simulatedHost }
    }),
  ],
  [
    { host, unit: 'neutron-server', api: 'network' },
    { host, unit: 'neutron-linuxbridge-agent', binary: 'neutron-linuxbridge-agent' },
    { host, unit: 'neutron-dhcp-agent', binary: 'neutron-dhcp-agent' },
    { host, unit: 'neutron-metadata-agent', binary: 'neutron-metadata-agent' },
  ],
  computeUnits('compute2'),
]

interface LabScene extends Scene {
  lab: Lab
  cutOff: Set<string>
}

const killUnits = ({ lab, ...scene }: LabScene, units: readonly Unit[]): Promise<void> =>
  killInTurn(
    scene,
    units.map((unit) => ({
      name: `${unit.unit} on ${unit.host}`,
      kill: () => killUnit(lab, unit),
      api: unit.api,
      who: whoIs(unit),
    })),
  )

/** Those that report by messages show that the broker serves; nova-compute's report ends in the database. */
function whoIs({ unit, binary, host, at = host }: Unit): Who {
  if (unit === broker.unit) return (one) => one === 'nova-compute' || one.endsWith('-agent')
  if (unit === database.unit) return (one) => one === 'nova-compute'
  return (one, where) => one === binary && where === at
}

/** Meanwhile the broker and the database are killed, too: what compute1 must be told has to outlive both. */
async function cutOff(scene: LabScene): Promise<void> {
  const { t, lab } = scene
  await lab.cut('compute1')
  scene.cutOff.add('compute1')
  await Promise.all([sleep(cutMilliseconds), killUnits(scene, [broker, database])])
  await lab.heal('compute1')
  const healedAt = new Date()
  scene.cutOff.delete('compute1')
  await untilAlive(scene, 'a minute without network', (_binary, host) => host === 'compute1', healedAt)
  t.diagnostic(`a minute without network: back after ${seconds(healedAt)}`)
}

async function restartInOrder(scene: LabScene): Promise<void> {
  for (const unit of [broker, database, novaApi]) {
    const since = new Date()
    await scene.lab.run(unit.host, ['systemctl', 'restart', unit.unit])
    await untilAlive(scene, `a restart of ${unit.unit}`, whoIs(unit), since)
    scene.t.diagnostic(`restart of ${unit.unit}: all are alive after ${seconds(since)}`)
  }
}

async function openWork(lab: Lab): Promise<string[]> {
  const statement =
    'select kind, subject from nova_api.flows union all select "build request", instance_uuid from nova_api.build_requests'
  const found = await lab.run('controller', ['mysql', '-uroot', '-N', '-e', statement])
  return found.split('\n').filter((row) => row !== '')
}

interface Things {
  imageId: string
  flavorId: string
  networkId: string
}

async function findThings(admin: Person): Promise<Things> {
  const quota = { instances: -1, cores: -1, ram: -1 }
  ok(await admin.compute('PUT', `/os-quota-sets/${await admin.projectId()}`, { quota_set: quota }))
  const { images } = ok(await admin.image('GET', '/images'))
  const { flavors } = ok(await admin.compute('GET', '/flavors'))
  const { networks } = ok(await admin.network('GET', '/networks?name=provider'))
  const flavor = flavors.find(({ name }: { name: string }) => name === 'm1.nano')
  return { imageId: images[0].id, flavorId: flavor.id, networkId: networks[0].id }
}

/** A guest on each compute host that nobody asks anything of: its process, by the server's id. */
async function startWitnesses(lab: Lab, admin: Person, things: Things): Promise<Map<string, string>> {
  const ids = new Map<string, string>()
  for (const host of computes) {
    const server = {
      name: `witness-${host}`,
      imageRef: things.imageId,
      flavorRef: things.flavorId,
      networks: [{ uuid: things.networkId }],
      availability_zone: `nova:${host}`,
    }
    ids.set(host, ok(await admin.compute('POST', '/servers', { server })).server.id)
  }
  await untilNone('the witnesses to run', async () =>
    (await listServers(admin)).filter(({ status }) => status !== 'ACTIVE').map((one) => JSON.stringify(one)),
  )
  const processes = new Map<string, string>()
  for (const [host, id] of ids) {
    const process = await guestProcess(lab, host, id)
    assert.ok(process, `no guest ${id} on ${host}`)
    processes.set(id, process)
  }
  return processes
}

test('with real guests: whatever is killed or cut off, nothing is stuck, doubled or leaked, and guests run on', {
  skip,
}, async (t) => {
  const begunAt = new Date()
  const note = (what: string) => t.diagnostic(`${what}, ${seconds(begunAt)} after the start`)
  await using lab = await startRig('mariadb')
  await installCloud(lab, () => undefined)
  const startedAt = new Date()
  await startSimulatedHost(lab)
  await using reach = await reachLab(lab)
  const { admin } = reach
  const scene: LabScene = { t, lab, admin, sends: reach.sends, cutOff: new Set() }
  await untilAlive(scene, 'the start', (_binary, host) => host === simulatedHost, startedAt)
  const things = await findThings(admin)
  const witnesses = await startWitnesses(lab, admin, things)
  note('the cloud is there')
  const simulated = { ...things, person: admin, servers: 20, zone: `nova:${simulatedHost}` }
  const real = { ...things, person: admin, servers: 2, clients: 1, pauseMilliseconds: 3000 }
  const loads = [new Load(simulated), ...computes.map((host) => new Load({ ...real, zone: `nova:${host}` }))]
  await using stack = new AsyncDisposableStack()
  for (const load of loads) stack.use(load)
  await Promise.all([
    ...rows.map((row) => killUnits(scene, row)),
    killUnits(scene, computeUnits('compute1')).then(() => cutOff(scene)),
  ])
  const healedAt = new Date()
  await restartInOrder(scene)
  for (const load of loads) {
    await load.stop()
    t.diagnostic(`${load.created} created, ${load.deleted} deleted, ${load.refused} requests refused`)
  }
  note('faults and load have ended')
  const rested = {
    admin,
    openWork: () => openWork(lab),
    holdings: async () => ({
      [simulatedHost]: simulatedHoldings(lab),
      compute1: await realHoldings(lab, 'compute1'),
      compute2: await realHoldings(lab, 'compute2'),
    }),
  }
  await assertInOrder(rested)
  note('all is in order')
  await untilAlive(scene, 'all that', () => true, healedAt)
  const servers = await listServers(admin)
  for (const [id, process] of witnesses) {
    const server = servers.find((one) => one.id === id)
    assert.equal(server?.status, 'ACTIVE')
    assert.equal(await guestProcess(lab, server?.host ?? '', id), process, 'a running guest was touched')
  }
  t.diagnostic(`${servers.filter(({ status }) => status === 'ERROR').length} of ${servers.length} in ERROR`)
  await deleteAll(admin)
  await assertInOrder(rested)
  note('all is deleted')
  assert.deepEqual([...new Set(loads.flatMap(({ bugs }) => [...bugs]))], [])
})
