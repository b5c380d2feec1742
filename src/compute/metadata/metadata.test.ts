import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkInterface } from '#network/client.ts'
import { silentLogger } from '../../base/log.ts'
import { createMetadataApp } from './app.ts'
import { configDriveFiles } from './config-drive.ts'
import type { InstanceFacts } from './facts.ts'
import { netmaskOf } from './network-data.ts'
import { signInstanceId } from './signature.ts'

const subnet = {
  id: 's',
  cidr: '10.0.0.0/24',
  ipVersion: 4,
  gatewayIp: '10.0.0.1',
  enableDhcp: true,
  dnsNameservers: ['9.9.9.9'],
  hostRoutes: [],
  ipv6AddressMode: null,
}
const nic = {
  port: {
    id: 'port-0123456789',
    macAddress: 'fa:16:3e:00:00:01',
    fixedIps: [{ subnetId: 's', ipAddress: '10.0.0.5' }],
  },
  network: { id: 'net', mtu: 1450 },
  subnets: [subnet],
} as unknown as NetworkInterface

const facts: InstanceFacts = {
  uuid: 'u1',
  number: 10,
  displayName: 'web one',
  hostname: 'web-one',
  projectId: 'p1',
  imageId: 'image',
  flavorName: 'm1.nano',
  availabilityZone: 'nova',
  launchIndex: 0,
  reservationId: 'r-abc',
  meta: { role: 'web' },
  keypair: { name: 'mine', type: 'ssh', publicKey: 'ssh-rsa AAAA' },
  userData: Buffer.from([0x1f, 0x8b, 0xff, 0x00]).toString('base64'),
  securityGroups: ['default', 'web'],
  interfaces: [nic],
  postedPassword: '',
}

function world(known: InstanceFacts = facts, sharedSecret: string | null = 'secret') {
  let posted = known.postedPassword
  const app = createMetadataApp({
    sharedSecret,
    instanceAt: async (address) => (address === '10.0.0.5' ? known.uuid : undefined),
    findFacts: async (id) => (id === known.uuid ? { ...known, postedPassword: posted } : undefined),
    setPassword: async (_id, password) => {
      posted = password
    },
    log: silentLogger,
  })
  const headers = {
    'x-instance-id': known.uuid,
    'x-tenant-id': known.projectId,
    'x-instance-id-signature': signInstanceId('secret', known.uuid),
  }
  return { app, headers, get: async (url: string) => app.inject({ url, headers }) }
}

test('the EC2 tree lists and shows, with more in newer versions', async () => {
  const { get } = world()
  const text = async (url: string) => (await get(url)).payload
  assert.match(await text('/'), /^1\.0\n.*2009-04-04\nlatest$/s)
  assert.equal(await text('/latest/'), 'meta-data/\nuser-data')
  assert.equal(await text('/latest/meta-data/instance-id'), 'i-0000000a')
  assert.equal(await text('/latest/meta-data/local-ipv4'), '10.0.0.5')
  assert.equal(await text('/latest/meta-data/public-keys/'), '0=mine')
  assert.equal(await text('/latest/meta-data/public-keys/0/openssh-key'), 'ssh-rsa AAAA')
  assert.equal(await text('/latest/meta-data/placement/availability-zone'), 'nova')
  assert.equal(await text('/latest/meta-data/security-groups'), 'default\nweb')
  assert.match(await text('/2009-04-04/meta-data'), /^instance-type$/m)
  assert.doesNotMatch(await text('/1.0/meta-data'), /instance-type/)
  assert.deepEqual((await get('/latest/user-data')).rawPayload, Buffer.from([0x1f, 0x8b, 0xff, 0x00]))
  assert.equal((await get('/1999-01-01/meta-data')).statusCode, 404)
  assert.equal((await get('/latest/meta-data/nothing')).statusCode, 404)
})

test('the OpenStack tree has the documents of each date', async () => {
  const { get } = world()
  assert.equal((await get('/openstack/2012-08-10')).payload, 'meta_data.json\nuser_data')
  const latest = (await get('/openstack/latest/meta_data.json')).json()
  assert.deepEqual(
    [latest.uuid, latest.hostname, latest.meta.role, latest.project_id, latest.keys[0].name],
    ['u1', 'web-one.novalocal', 'web', 'p1', 'mine'],
  )
  assert.equal((await get('/openstack/2012-08-10/meta_data.json')).json().project_id, undefined)
  const network = (await get('/openstack/latest/network_data.json')).json()
  assert.deepEqual(network.networks, [
    { id: 'network0', type: 'ipv4_dhcp', link: 'tapport-012345', network_id: 'net' },
  ])
  assert.equal((await get('/openstack/2013-04-04/network_data.json')).statusCode, 404)
})

test('a wrong signature, another project and a missing header are refused', async () => {
  const { app, headers } = world()
  const status = async (changed: Record<string, string | undefined>) => {
    const sent = Object.fromEntries(
      Object.entries({ ...headers, ...changed }).filter(([, value]) => value !== undefined),
    )
    return (await app.inject({ url: '/latest/meta-data/', headers: sent as Record<string, string> }))
      .statusCode
  }
  assert.equal(await status({}), 200)
  assert.equal(await status({ 'x-instance-id-signature': 'f'.repeat(64) }), 403)
  assert.equal(await status({ 'x-tenant-id': 'p2' }), 404)
  assert.equal(await status({ 'x-instance-id': undefined }), 400)
})

test('without a shared secret no signature counts', async () => {
  const { app, headers } = world(facts, '')
  const signed = { ...headers, 'x-instance-id-signature': signInstanceId('', facts.uuid) }
  assert.equal((await app.inject({ url: '/latest/meta-data/', headers: signed })).statusCode, 403)
})

test('without a proxy a guest is known by its address, and by nothing that it says', async () => {
  const { app, headers } = world(facts, null)
  const ask = (remoteAddress: string) =>
    app.inject({ url: '/latest/meta-data/instance-id', headers, remoteAddress })
  for (const address of ['10.0.0.5', '::ffff:10.0.0.5'])
    assert.equal((await ask(address)).payload, 'i-0000000a')
  const stranger = await ask('10.0.0.6')
  assert.equal(stranger.statusCode, 404)
  assert.match(stranger.payload, /no metadata for the address 10\.0\.0\.6/)
})

test('a guest posts its password once', async () => {
  const { app, headers } = world()
  const post = async (payload: string) =>
    (await app.inject({ method: 'POST', url: '/openstack/latest/password', headers, payload })).statusCode
  assert.deepEqual([await post('x'.repeat(1021)), await post('cipher'), await post('again')], [400, 200, 409])
  assert.equal((await app.inject({ url: '/openstack/latest/password', headers })).payload, 'cipher')
})

test('the config drive holds the same, byte for byte, and no password', () => {
  const files = configDriveFiles(facts)
  assert.deepEqual(
    Buffer.from(files['openstack/latest/user_data'] ?? '', 'base64'),
    Buffer.from([0x1f, 0x8b, 0xff, 0x00]),
  )
  const ec2 = JSON.parse(Buffer.from(files['ec2/latest/meta-data.json'] ?? '', 'base64').toString())
  assert.equal(ec2['public-keys']['0']['openssh-key'], 'ssh-rsa AAAA')
  assert.equal(files['openstack/latest/password'], undefined)
})

test('netmasks of both families', () => {
  assert.equal(netmaskOf('10.0.0.0/20'), '255.255.240.0')
  assert.equal(netmaskOf('2001:db8::/64'), 'ffff:ffff:ffff:ffff::')
  assert.equal(netmaskOf('0.0.0.0/0'), '0.0.0.0')
})
