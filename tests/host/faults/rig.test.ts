/** A cloud on several hosts, with real guests beside simulated ones, whose programs, broker, database and cables fail. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sleep } from '../../../src/base/clock.ts'
import { installCloud } from '../../../src/cli/lab/cloud/install.ts'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import type { Person } from '../../../src/testing/cloud-people.ts'
import { ok } from '../../../src/testing/first-things.ts'
import { cannotRunGuests } from '../cloud.ts'
import { reachLab } from '../rig/reach.ts'
import { cannotRunLabs, startRig } from '../rig/rig.ts'
import { type HostHoldings, listServers } from './holdings.ts'
import { Load } from './load.ts'
import { assertInOrder, deleteAll, untilAlive, untilNone } from './settle.ts'
import { simulatedHoldings, simulatedHost, simulatedUnits, startSimulatedHost } from './simulated-host.ts'

const skip = cannotRunLabs() || cannotRunGuests()
const breathMilliseconds = 1000
const cutMilliseconds = 60_000
const computes = ['compute1', 'compute2'] as const

/** Every unit of the cloud, and the program of it that is a service or an agent. */
const units: readonly { host: string; unit: string; binary?: string; at?: string }[] = [
  { host: 'controller', unit: 'openstack-keystone' },
  { host: 'controller', unit: 'openstack-glance-api' },
  { host: 'controller', unit: 'openstack-placement-api' },
  { host: 'controller', unit: 'openstack-nova-api' },
  { host: 'controller', unit: 'openstack-nova-consoleauth', binary: 'nova-consoleauth' },
  { host: 'controller', unit: 'openstack-nova-scheduler', binary: 'nova-scheduler' },
  { host: 'controller', unit: 'openstack-nova-conductor', binary: 'nova-conductor' },
  { host: 'controller', unit: 'neutron-server' },
  { host: 'controller', unit: 'neutron-linuxbridge-agent', binary: 'neutron-linuxbridge-agent' },
  { host: 'controller', unit: 'neutron-dhcp-agent', binary: 'neutron-dhcp-agent' },
  { host: 'controller', unit: 'neutron-metadata-agent', binary: 'neutron-metadata-agent' },
  ...simulatedUnits.map((unit) => ({
    host: 'controller',
    unit,
    binary: unit.replace(/^simulated-(openstack-)?/, ''),
    at: simulatedHost,
  })),
  ...computes.flatMap((host) => [
    { host, unit: 'openstack-nova-compute', binary: 'nova-compute' },
    { host, unit: 'neutron-linuxbridge-agent', binary: 'neutron-linuxbridge-agent' },
    { host, unit: 'libvirtd' },
  ]),
  { host: 'controller', unit: 'memcached' },
  { host: 'controller', unit: 'rabbitmq-server' },
  { host: 'controller', unit: 'mariadb' },
]

/** Guests and taps of a compute host: its processes and its devices. */
async function holdingsOf(lab: Lab, host: string): Promise<HostHoldings> {
  const processes = await lab.run(host, ['ps', '-e', '-ww', '-o', 'args='])
  const guests = processes.split('\n').flatMap((line) => {
    const uuid = /^\S*qemu-system\S* .*-uuid (\S+)/.exec(line)?.[1]
    return uuid === undefined ? [] : [uuid]
  })
  const links = await lab.run(host, ['ip', '-brief', 'link', 'show'])
  return { guests, taps: [...links.matchAll(/^(tap[^\s@]+)/gm)].map((match) => match[1]!) }
}

/** Process and its start, which tell a guest from one that was started anew. */
async function guestProcess(lab: Lab, host: string, id: string): Promise<string> {
  const processes = await lab.run(host, ['ps', '-e', '-ww', '-o', 'pid=,lstart=,args='])
  const line = processes.split('\n').find((each) => each.includes(`-uuid ${id}`) && /qemu-system/.test(each))
  assert.ok(line, `no guest ${id} on ${host}`)
  return line.trim().split(/\s+/).slice(0, 6).join(' ')
}

async function openWork(lab: Lab): Promise<string[]> {
  const statement =
    'select kind, subject from nova_api.flows union all select "build request", instance_uuid from nova_api.build_requests'
  const rows = await lab.run('controller', ['mysql', '-uroot', '-N', '-e', statement])
  return rows.split('\n').filter((row) => row !== '')
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

/** A guest on each compute host that nobody asks anything of. */
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
  for (const [host, id] of ids) processes.set(id, await guestProcess(lab, host, id))
  return processes
}

async function killEach(t: TestContext, lab: Lab, admin: Person): Promise<void> {
  for (const { host, unit, binary, at = host } of units) {
    await lab.kill(host, unit)
    await untilAlive(
      t,
      admin,
      `kill -9 of ${unit} on ${host}`,
      (one, where) => one === binary && where === at,
    )
    await sleep(breathMilliseconds)
  }
}

test('with real guests: whatever is killed or cut off, nothing is stuck, doubled or leaked, and guests run on', {
  skip,
}, async (t) => {
  await using lab = await startRig('mariadb')
  await installCloud(lab, () => undefined)
  await startSimulatedHost(lab)
  await using reach = await reachLab(lab)
  const { admin } = reach
  await untilAlive(t, admin, 'the start', (_binary, host) => host === simulatedHost)
  const things = await findThings(admin)
  const witnesses = await startWitnesses(lab, admin, things)
  const simulated = { ...things, person: admin, servers: 20, zone: `nova:${simulatedHost}` }
  const real = { ...things, person: admin, servers: 4, clients: 1, pauseMilliseconds: 3000 }
  const loads = [
    new Load(simulated),
    ...computes.map((host) => new Load({ ...real, servers: 2, zone: `nova:${host}` })),
  ]
  await using stack = new AsyncDisposableStack()
  for (const load of loads) stack.use(load)
  await killEach(t, lab, admin)
  await lab.cut('compute1')
  await sleep(cutMilliseconds)
  await lab.heal('compute1')
  await untilAlive(t, admin, 'a minute without network', (_binary, host) => host === 'compute1')
  for (const load of loads) {
    await load.stop()
    t.diagnostic(`${load.created} created, ${load.deleted} deleted, ${load.refused} requests refused`)
  }
  const rested = {
    admin,
    openWork: () => openWork(lab),
    holdings: async () => ({
      [simulatedHost]: simulatedHoldings(lab),
      compute1: await holdingsOf(lab, 'compute1'),
      compute2: await holdingsOf(lab, 'compute2'),
    }),
  }
  await assertInOrder(rested)
  const servers = await listServers(admin)
  for (const [id, process] of witnesses) {
    const server = servers.find((one) => one.id === id)
    assert.equal(server?.status, 'ACTIVE')
    assert.equal(await guestProcess(lab, server?.host ?? '', id), process, 'a running guest was touched')
  }
  t.diagnostic(`${servers.filter(({ status }) => status === 'ERROR').length} of ${servers.length} in ERROR`)
  await deleteAll(admin)
  await assertInOrder(rested)
  assert.deepEqual([...new Set(loads.flatMap(({ bugs }) => [...bugs]))], [])
})
