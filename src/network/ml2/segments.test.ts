import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabase } from '#testing/databases/test-database.ts'
import type { NetworkOptions } from '../config.ts'
import { networkMigrations } from '../store/migrations/list.ts'
import { type Answer, testNetwork } from '../test-network.ts'

const told = (answer: Answer) =>
  answer.status === 201
    ? answer.body.network['provider:segmentation_id']
    : `${answer.status} ${answer.body.NeutronError.type}: ${answer.body.NeutronError.message}`

async function asking(options: Partial<NetworkOptions>) {
  const cloud = await testNetwork({ options })
  const ask = async (type?: string, physical?: string, id?: number) => {
    const network: Record<string, unknown> = {}
    if (type !== undefined) network['provider:network_type'] = type
    if (physical !== undefined) network['provider:physical_network'] = physical
    if (id !== undefined) network['provider:segmentation_id'] = id
    return cloud.admin('POST', '/networks', { network })
  }
  return { cloud, ask }
}

test('projects get any free VNI, each once, and it is free again with the network', async () => {
  const { cloud, ask } = await asking({ vniRanges: ['5:7'] })
  await using _cloud = cloud
  const answers = await Promise.all([ask(), ask(), ask(), ask()])
  const ids = answers.filter((answer) => answer.status === 201).map(told)
  assert.deepEqual(ids.sort(), [5, 6, 7])
  const none = answers.find((answer) => answer.status !== 201)!
  assert.match(told(none), /^503 NoNetworkAvailable: .*No tenant network is available/)
  const fine = answers.find((answer) => answer.status === 201)!
  await cloud.admin('DELETE', `/networks/${fine.body.network.id}`)
  assert.equal(told(await ask()), told(fine))
})

test('a flat network takes its physical network whole', async () => {
  const { cloud, ask } = await asking({ flatNetworks: ['provider'] })
  await using _cloud = cloud
  const fine = await ask('flat', 'provider')
  assert.equal(fine.status, 201)
  assert.equal(fine.body.network.mtu, 1500)
  assert.match(told(await ask('flat', 'provider')), /^409 FlatNetworkInUse/)
  assert.match(told(await ask('flat', 'other')), /^400 InvalidInput: .*'other' unknown/)
  assert.match(told(await ask('flat')), /^400 InvalidInput: .*physical_network required/)
  assert.match(told(await ask('flat', 'provider', 5)), /^400 InvalidInput: .*segmentation_id prohibited/)
})

test('VLANs are taken by number or out of the range of a physical network', async () => {
  const { cloud, ask } = await asking({ networkVlanRanges: ['p1:100:101', 'p2'] })
  await using _cloud = cloud
  assert.equal(told(await ask('vlan', 'p2', 7)), 7)
  assert.match(told(await ask('vlan', 'p2', 7)), /^409 VlanIdInUse/)
  assert.deepEqual([told(await ask('vlan', 'p1')), told(await ask('vlan'))].sort(), [100, 101])
  assert.match(told(await ask('vlan', 'p1')), /^409 NoNetworkAvailable/)
  assert.match(told(await ask('vlan', 'p3', 7)), /^400 InvalidInput: .*unknown/)
  assert.match(told(await ask('vlan', 'p1', 4095)), /^400 InvalidInput: .*out of range/)
})

test('types that are not configured are refused, and a configuration that names none is an error', async () => {
  const { cloud, ask } = await asking({ typeDrivers: ['flat'], tenantNetworkTypes: [] })
  await using _cloud = cloud
  assert.match(told(await ask('vxlan')), /^400 InvalidInput: .*network_type value 'vxlan' not supported/)
  assert.match(told(await ask()), /^503 NoNetworkAvailable/)
  await assert.rejects(
    testNetwork({ options: { typeDrivers: ['geneve'] } }),
    /type_drivers names geneve; there are local, flat, vlan, vxlan/,
  )
  await assert.rejects(testNetwork({ options: { mechanismDrivers: ['ovn'] } }), /names ovn/)
})

test('a type whose networks are there cannot be taken out of the configuration', async () => {
  await using database = await testDatabase(networkMigrations, { shared: true })
  const { url: databaseUrl } = database
  {
    await using cloud = await testNetwork({ databaseUrl })
    await cloud.member('POST', '/networks', { network: {} })
  }
  await assert.rejects(
    testNetwork({ databaseUrl, options: { typeDrivers: ['flat', 'local'], tenantNetworkTypes: ['local'] } }),
    /type_drivers is flat,local, but there are network segments of type vxlan \(1 of them\)\. Put the type back/,
  )
})

test('a network of several segments shows them as a list', async () => {
  const { cloud } = await asking({})
  await using _cloud = cloud
  const segments = [
    { 'provider:network_type': 'vxlan', 'provider:segmentation_id': 9 },
    { 'provider:network_type': 'flat', 'provider:physical_network': 'provider' },
  ]
  const answer = await cloud.admin('POST', '/networks', { network: { segments } })
  assert.equal(answer.status, 201)
  assert.equal(answer.body.network.segments.length, 2)
  assert.equal(answer.body.network.mtu, 1450)
  const both = { segments, 'provider:network_type': 'vxlan' }
  const refused = await cloud.admin('POST', '/networks', { network: both })
  assert.equal(refused.body.NeutronError.type, 'SegmentsSetInConjunctionWithProviders')
})

test('extensions follow from the configuration', async () => {
  const { cloud } = await asking({ extensionDrivers: [], enableSecurityGroup: false })
  await using _cloud = cloud
  const aliases = await cloud.client('member:blue').listExtensions()
  for (const alias of [
    'port-security',
    'dns-integration',
    'security-group',
    'allowed-address-pairs',
    'router',
    'l3_agent_scheduler',
  ])
    assert.equal(aliases.includes(alias), false, alias)
  const { network } = (await cloud.member('POST', '/networks', { network: {} })).body
  assert.equal('port_security_enabled' in network, false)
  assert.equal((await cloud.member('GET', '/security-groups')).status, 404)
  const refused = await cloud.member('POST', '/networks', { network: { port_security_enabled: false } })
  assert.equal(refused.status, 400)
  const { port } = (await cloud.member('POST', '/ports', { port: { network_id: network.id } })).body
  assert.equal('dns_name' in port || 'security_groups' in port, false)
})
