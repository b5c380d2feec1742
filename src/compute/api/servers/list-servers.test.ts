import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insertFault } from '../../store/faults.ts'
import { setNetworkInfo } from '../../store/instance-changes.ts'
import { makeCloud, type TestCloud } from '../testing/cloud.ts'

async function three() {
  const cloud = await makeCloud()
  const ids: Record<string, string> = {}
  for (const name of ['alpha', 'beta', 'gamma']) ids[name] = await cloud.create({ name })
  await cloud.settle(ids['alpha']!, { created_at: '2026-01-01T00:00:01.000Z' })
  await cloud.settle(ids['beta']!, {
    created_at: '2026-01-01T00:00:02.000Z',
    vm_state: 'stopped',
    power_state: 4,
  })
  return { cloud, ids }
}

async function names(cloud: TestCloud, query: string, options: { as?: string; version?: string } = {}) {
  const { status, body } = await cloud.call(`GET /servers${query}`, options)
  return status === 200 ? body.servers.map((one: { name: string }) => one.name).join(' ') : status
}

test('servers that are built and that are asked for are one list, the newest first, in pages', async () => {
  const { cloud, ids } = await three()
  await using _ = cloud
  assert.equal(await names(cloud, ''), 'gamma beta alpha')
  assert.equal(await names(cloud, '?sort_key=display_name&sort_dir=asc'), 'alpha beta gamma')
  assert.equal(await names(cloud, '?limit=1'), 'gamma')
  const first = (await cloud.call('GET /servers?limit=1')).body.servers_links
  assert.deepEqual(first, [
    { rel: 'next', href: `http://cloud:8774/v2.1/servers?limit=1&marker=${ids['gamma']}` },
  ])
  assert.equal(await names(cloud, `?limit=1&marker=${ids['gamma']}`), 'beta')
  assert.equal(await names(cloud, `?marker=${ids['beta']}`), 'alpha')
  assert.equal(await names(cloud, '?marker=x'), 400)
  assert.equal(await names(cloud, '?limit=x'), 400)
})

test('filters', async () => {
  const { cloud, ids } = await three()
  await using _ = cloud
  const admin = { as: 'admin' }
  const cases: [string, string | number, { as?: string; version?: string }?][] = [
    ['?name=^(alp|bet)', 'beta alpha'],
    ['?name=*', 400],
    ['?status=shutoff', 'beta'],
    ['?status=ACTIVE&status=BUILD', 'gamma alpha'],
    ['?status=nonsense', ''],
    ['?status=nonsense', 400, { version: '2.38' }],
    ['?status=deleted', 403],
    ['?flavor=m1', 'gamma beta alpha'],
    ['?flavor=none', ''],
    ['?image=11111111-1111-4111-8111-111111111111', 'gamma beta alpha'],
    ['?image=none', ''],
    ['?host=h1', 'gamma beta alpha'],
    ['?host=h1', 'beta alpha', admin],
    ['?all_tenants=1', 403],
    ['?all_tenants=1', 'gamma beta alpha', admin],
    ['?all_tenants=1&tenant_id=p2', '', admin],
    ['?all_tenants=perhaps', 400, admin],
    ['?vm_state=stopped', 'gamma beta alpha'],
    ['?vm_state=stopped', 'beta', { version: '2.83' }],
    ['?changes-since=2999-01-01T00:00:00Z', ''],
    ['?changes-since=2026-01-01T00:00:00Z', 'gamma beta alpha'],
    ['?changes-since=x', 400],
    ['?changes-since=2011/01/01', 400],
    ['?limit=0', ''],
    ['?changes-before=2026-01-01T00:00:00Z', '', { version: '2.66' }],
    ['?locked=true', '', { version: '2.73' }],
    ['?unknown=1', 'gamma beta alpha'],
    ['?unknown=1', 400, { version: '2.75' }],
    ['?sort_key=host', 403],
    ['?sort_key=nonsense', 400],
    ['?services=1', 400, admin],
  ]
  for (const [query, expected, options] of cases) {
    assert.equal(await names(cloud, query, options), expected, query)
  }
  // A time as it is shown, without its fraction, takes in all of its second.
  const shown = (await cloud.call(`GET /servers/${ids['alpha']}`)).body.server.updated
  assert.match(await names(cloud, `?changes-before=${shown}`, { version: '2.66' }), /alpha/)
  assert.equal(await names(cloud, '', { as: 'stranger' }), '')
  assert.ok(ids)
})

test('tags filter lists since 2.26', async () => {
  const { cloud, ids } = await three()
  await using _ = cloud
  const put = (name: string, tags: string[]) =>
    cloud.call(`PUT /servers/${ids[name]}/tags`, { version: '2.26', body: { tags } })
  await put('alpha', ['a', 'b'])
  await put('beta', ['a'])
  const version = '2.26'
  const cases: [string, string][] = [
    ['?tags=a,b', 'alpha'],
    ['?tags-any=a,b', 'beta alpha'],
    ['?not-tags=a,b', 'gamma beta'],
    ['?not-tags-any=a,b', 'gamma'],
  ]
  for (const [query, expected] of cases) assert.equal(await names(cloud, query, { version }), expected, query)
})

test('a server is shown as each microversion knew it', async () => {
  const { cloud, ids } = await three()
  await using _ = cloud
  const at = async (version?: string, as?: string) =>
    (await cloud.call(`GET /servers/${ids['alpha']}`, { version, ...(as === undefined ? {} : { as }) })).body
      .server
  const first = Object.keys(await at())
  const gained: [string, string[]][] = [
    ['2.9', ['locked']],
    ['2.19', ['description']],
    ['2.26', ['tags']],
    ['2.63', ['trusted_image_certificates']],
    ['2.71', ['server_groups']],
    ['2.73', ['locked_reason']],
    ['2.90', ['OS-EXT-SRV-ATTR:hostname']],
    ['2.96', ['pinned_availability_zone']],
  ]
  const known = new Set(first)
  for (const [version, fields] of gained) {
    const there = Object.keys(await at(version))
    assert.deepEqual(
      there.filter((key) => !known.has(key)),
      fields,
      version,
    )
    for (const field of fields) known.add(field)
  }
  assert.deepEqual((await at()).flavor.links, [{ rel: 'bookmark', href: 'http://cloud:8774/flavors/m1' }])
  assert.deepEqual((await at('2.47')).flavor, {
    vcpus: 1,
    ram: 512,
    disk: 1,
    ephemeral: 0,
    swap: 0,
    original_name: 'm1',
    extra_specs: {},
  })
  const admin = async (version?: string) =>
    Object.keys(await at(version, 'admin')).filter((key) => /SRV-ATTR|host_status/.test(key)).length
  assert.deepEqual([await admin(), await admin('2.3'), await admin('2.16')], [3, 10, 11])
})

test('addresses, faults and hosts are shown to whom they may be', async () => {
  const { cloud, ids } = await three()
  await using _ = cloud
  const alpha = ids['alpha']!
  const ip = { address: '10.0.0.5', type: 'fixed' as const, version: 4 as const, floating_ips: [] }
  await setNetworkInfo(cloud.cell1.db, alpha, [
    {
      id: 'port',
      address: 'fa:16:3e:00:00:01',
      network: {
        id: 'n',
        label: 'private',
        bridge: 'b',
        subnets: [{ cidr: '10.0.0.0/24', version: 4, gateway: null, ips: [ip] }],
        meta: { tenant_id: 'p1', mtu: 1500 },
      },
      type: 'bridge',
      vnic_type: 'normal',
      devname: 'tap',
      active: true,
      preserve_on_delete: false,
      tag: null,
    },
  ])
  const { server } = (await cloud.call(`GET /servers/${alpha}`)).body
  assert.deepEqual(server.addresses, {
    private: [
      {
        version: 4,
        addr: '10.0.0.5',
        'OS-EXT-IPS:type': 'fixed',
        'OS-EXT-IPS-MAC:mac_addr': 'fa:16:3e:00:00:01',
      },
    ],
  })
  assert.equal(server['OS-EXT-AZ:availability_zone'], 'nova')
  assert.match(server.hostId, /^[0-9a-f]{56}$/)
  assert.deepEqual((await cloud.call(`GET /servers/${alpha}/ips/private`)).body, {
    private: [{ version: 4, addr: '10.0.0.5' }],
  })
  assert.equal((await cloud.call(`GET /servers/${alpha}/ips/none`)).status, 404)
  assert.equal(await names(cloud, '?ip=10.0.0'), 'alpha')
  assert.equal(await names(cloud, '?ip=10.1'), '')

  await cloud.call(`POST /servers/${alpha}/action`, {
    as: 'admin',
    body: { 'os-resetState': { state: 'error' } },
  })
  await insertFault(cloud.cell1.db, {
    instanceUuid: alpha,
    code: 500,
    message: 'No valid host',
    details: 'why',
  })
  const fault = async (as: string) => (await cloud.call(`GET /servers/${alpha}`, { as })).body.server.fault
  assert.deepEqual(
    [(await fault('member')).message, (await fault('member')).details],
    ['No valid host', undefined],
  )
  assert.equal((await fault('admin')).details, 'why')
})

test('a server can be described anew before and after it is built', async () => {
  const { cloud, ids } = await three()
  await using _ = cloud
  for (const name of ['gamma', 'alpha']) {
    const server = { name: `${name}-2`, description: 'new', accessIPv4: '1.2.3.4' }
    const put = await cloud.call(`PUT /servers/${ids[name]}`, { version: '2.19', body: { server } })
    assert.deepEqual(
      [put.status, put.body.server.name, put.body.server.description, 'key_name' in put.body.server],
      [200, `${name}-2`, 'new', false],
    )
    const shown = (await cloud.call(`GET /servers/${ids[name]}`)).body.server
    assert.deepEqual([shown.name, shown.accessIPv4], [`${name}-2`, '1.2.3.4'])
  }
  const put = (server: object, version = '2.75') =>
    cloud.call(`PUT /servers/${ids['alpha']}`, { version, body: { server } })
  assert.equal('key_name' in (await put({ name: 'x' })).body.server, true)
  assert.equal((await put({ hostname: 'h1' }, '2.89')).status, 400)
  assert.equal((await put({ hostname: 'h1' }, '2.90')).body.server['OS-EXT-SRV-ATTR:hostname'], 'h1')
  assert.equal((await put({ nonsense: 1 })).status, 400)
})
