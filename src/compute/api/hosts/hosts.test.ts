import assert from 'node:assert/strict'
import { test } from 'node:test'
import { saveComputeNode } from '../../store/compute-nodes.ts'
import { reportServices } from '../../store/services.ts'
import { makeCloud, type TestCloud } from '../testing/cloud.ts'

async function withHosts(): Promise<TestCloud> {
  const cloud = await makeCloud()
  const { db } = cloud.cell1
  await reportServices(db, 'nova-compute', 'compute', ['h1', 'h2'])
  await reportServices(db, 'nova-conductor', 'conductor', ['c'])
  for (const host of ['h1', 'h2']) {
    await saveComputeNode(db, {
      host,
      hypervisor_hostname: `${host}.local`,
      hypervisor_type: 'fake',
      hypervisor_version: 1000,
      vcpus: 4,
      memory_mb: 4096,
      local_gb: 40,
      vcpus_used: 1,
      memory_mb_used: 512,
      local_gb_used: 1,
      running_vms: 1,
      cpu_info: '{"arch":"x86_64"}',
      host_ip: '192.0.2.1',
      cpu_allocation_ratio: 4,
      ram_allocation_ratio: 1,
      disk_allocation_ratio: 1,
      disk_available_least: null,
    })
  }
  return cloud
}

const admin = (version?: string) => ({ as: 'admin', version })

test('services are listed, disabled with a reason, forced down and deleted, as each microversion does it', async () => {
  await using cloud = await withHosts()
  const list = async (query = '', version?: string) =>
    (await cloud.call(`GET /os-services${query}`, admin(version))).body.services
  const first = (await list())[0]
  assert.deepEqual(
    [first.id, first.binary, first.host, first.zone, first.status, first.state, 'forced_down' in first],
    [1, 'nova-compute', 'h1', 'nova', 'enabled', 'up', false],
  )
  assert.match(first.updated_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/)
  assert.equal((await list('?binary=nova-conductor'))[0].zone, 'internal')
  assert.equal((await list('?host=h2', '2.11'))[0].forced_down, false)
  const { id } = (await list('?host=h2', '2.53'))[0]
  assert.match(id, /^[0-9a-f-]{36}$/)

  const put = (what: string, body: object, version?: string) =>
    cloud.call(`PUT /os-services/${what}`, { ...admin(version), body })
  const h1 = { host: 'h1', binary: 'nova-compute' }
  assert.deepEqual((await put('disable-log-reason', { ...h1, disabled_reason: 'r' })).body, {
    service: { ...h1, status: 'disabled', disabled_reason: 'r' },
  })
  assert.deepEqual(cloud.sent.at(-1), ['conductor.hostsChanged', {}])
  assert.equal((await list())[0].disabled_reason, 'r')
  assert.deepEqual((await put('enable', h1)).body, { service: { ...h1, status: 'enabled' } })
  assert.equal((await put('force-down', { ...h1, forced_down: true }, '2.10')).status, 400)
  assert.equal((await put('force-down', { ...h1, forced_down: true }, '2.11')).status, 200)
  assert.equal((await list())[0].state, 'down')
  assert.equal((await put('enable', { host: 'x', binary: 'nova-compute' })).status, 404)
  assert.equal((await put('enable', { host: 'c', binary: 'nova-conductor' })).status, 400)
  assert.equal((await put('nonsense', h1)).status, 404)

  const update = await put(id, { status: 'disabled', disabled_reason: 'x' }, '2.53')
  assert.deepEqual([update.body.service.status, update.body.service.disabled_reason], ['disabled', 'x'])
  assert.equal((await put(id, {}, '2.53')).status, 400)
  assert.equal((await put(id, { status: 'enabled', disabled_reason: 'x' }, '2.53')).status, 400)
  assert.equal((await put('1', { status: 'enabled' }, '2.53')).status, 400)
  assert.equal((await cloud.call(`DELETE /os-services/${id}`, admin('2.53'))).status, 204)
  assert.equal((await list('?host=h2')).length, 0)
  assert.equal((await cloud.call('GET /os-services')).status, 403)
})

test('a host with servers is not forgotten', async () => {
  await using cloud = await withHosts()
  await cloud.settle(await cloud.create())
  assert.equal((await cloud.call('DELETE /os-services/1', admin())).status, 409)
})

test('hypervisors are shown as each microversion knew them', async () => {
  await using cloud = await withHosts()
  const get = async (path = '', version?: string) =>
    (await cloud.call(`GET /os-hypervisors${path}`, admin(version))).body
  assert.deepEqual((await get()).hypervisors[0], {
    id: 1,
    hypervisor_hostname: 'h1.local',
    state: 'up',
    status: 'enabled',
  })
  const detail = (await get('/detail')).hypervisors[0]
  assert.deepEqual([detail.cpu_info, detail.free_ram_mb, detail.service.id], ['{"arch":"x86_64"}', 3584, 1])
  assert.deepEqual((await get('/detail', '2.28')).hypervisors[0].cpu_info, { arch: 'x86_64' })
  const uuid = (await get('', '2.53')).hypervisors[0].id
  const newest = (await get(`/${uuid}`, '2.88')).hypervisor
  assert.deepEqual(['vcpus' in newest, newest.uptime], [false, null])
  const paged = await get('?limit=1', '2.53')
  assert.match(paged.hypervisors_links[0].href, new RegExp(`marker=${uuid}$`))
  assert.equal((await get(`?marker=${uuid}`, '2.53')).hypervisors.length, 1)
  assert.deepEqual((await get('/statistics')).hypervisor_statistics.count, 2)
  assert.equal((await get('/h2/search')).hypervisors.length, 1)
  assert.equal((await get('?hypervisor_hostname_pattern=h2', '2.53')).hypervisors.length, 1)
  await cloud.settle(await cloud.create())
  assert.equal((await get('?with_servers=true', '2.53')).hypervisors[0].servers[0].name, 'vm')
  assert.equal((await get('/h1/servers')).hypervisors[0].servers.length, 1)
  const statuses: [string, string | undefined, number][] = [
    ['/none/search', undefined, 404],
    ['/h1/search', '2.53', 404],
    ['/statistics', '2.88', 404],
    ['/99', undefined, 404],
    ['/99', '2.53', 400],
    ['/1/uptime', undefined, 501],
  ]
  for (const [path, version, status] of statuses) {
    assert.equal((await cloud.call(`GET /os-hypervisors${path}`, admin(version))).status, status, path)
  }
})

test('aggregates make zones, and hosts are in one zone at a time', async () => {
  await using cloud = await withHosts()
  const call = (what: string, body?: object, version?: string) =>
    cloud.call(what, { ...admin(version), body })
  const made = await call('POST /os-aggregates', { aggregate: { name: 'a', availability_zone: 'z1' } })
  assert.deepEqual([made.body.aggregate.id, made.body.aggregate.availability_zone], [1, 'z1'])
  assert.equal('uuid' in made.body.aggregate, false)
  assert.match((await call('GET /os-aggregates/1', undefined, '2.41')).body.aggregate.uuid, /^[0-9a-f-]{36}$/)
  assert.equal((await call('POST /os-aggregates', { aggregate: { name: 'a' } })).status, 409)
  const other = await call('POST /os-aggregates', { aggregate: { name: 'b', availability_zone: 'z2' } })
  const second = other.body.aggregate.id
  const act = (id: number, body: object) => call(`POST /os-aggregates/${id}/action`, body)
  assert.deepEqual((await act(1, { add_host: { host: 'h1' } })).body.aggregate.hosts, ['h1'])
  assert.ok(cloud.sent.some(([name]) => name === 'placement.setAggregates'))
  assert.equal((await act(1, { add_host: { host: 'h1' } })).status, 409)
  assert.equal((await act(second, { add_host: { host: 'h1' } })).status, 409)
  assert.equal((await act(second, { add_host: { host: 'none' } })).status, 404)
  const zones = (await cloud.call('GET /os-availability-zone')).body.availabilityZoneInfo
  assert.deepEqual(zones, [
    { zoneName: 'nova', zoneState: { available: true }, hosts: null },
    { zoneName: 'z1', zoneState: { available: true }, hosts: null },
  ])
  const detail = (await call('GET /os-availability-zone/detail')).body.availabilityZoneInfo
  assert.deepEqual(Object.keys(detail.find((zone: { zoneName: string }) => zone.zoneName === 'z1').hosts), [
    'h1',
  ])
  const id = await cloud.create({ availability_zone: 'z1' })
  await cloud.settle(id)
  assert.equal((await cloud.call(`GET /servers/${id}`)).body.server['OS-EXT-AZ:availability_zone'], 'z1')
  assert.equal((await call('PUT /os-aggregates/1', { aggregate: { availability_zone: 'z3' } })).status, 400)
  const metadata = { set_metadata: { metadata: { ssd: 'true' } } }
  assert.equal((await act(1, metadata)).body.aggregate.metadata.ssd, 'true')
  assert.equal((await call('DELETE /os-aggregates/1')).status, 400)
  assert.equal((await act(1, { remove_host: { host: 'h1' } })).status, 200)
  assert.equal((await act(1, { remove_host: { host: 'h1' } })).status, 404)
  assert.equal((await call('DELETE /os-aggregates/1')).status, 200)
  assert.equal((await call('GET /os-aggregates/1')).status, 404)
  assert.equal((await call('GET /os-aggregates/x')).status, 400)
})

test('hosts by name are there up to 2.42', async () => {
  await using cloud = await withHosts()
  const { hosts } = (await cloud.call('GET /os-hosts', admin())).body
  assert.deepEqual(hosts[0], { host_name: 'h1', service: 'compute', zone: 'nova' })
  assert.equal((await cloud.call('GET /os-hosts/h1', admin())).body.host[0].resource.cpu, 4)
  assert.equal((await cloud.call('GET /os-hosts/none', admin())).status, 404)
  assert.equal((await cloud.call('GET /os-hosts', admin('2.43'))).status, 404)
  const put = await cloud.call('PUT /os-hosts/h1', { ...admin(), body: { status: 'disable' } })
  assert.deepEqual(put.body, { host: 'h1', status: 'disabled' })
})
