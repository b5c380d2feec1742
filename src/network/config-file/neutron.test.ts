import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../base/config/load.ts'
import { testNetwork } from '../test-network.ts'
import { networkConfigOptions, networkOptionsOf } from './behaviour.ts'
import { neutronServerOptions } from './neutron.ts'

test("an installation guide's files give a cloud with provider networks only", async () => {
  const content = `
[DEFAULT]
core_plugin = ml2
notify_nova_on_port_status_changes = true
[ml2]
type_drivers = flat,vlan
tenant_network_types =
mechanism_drivers = linuxbridge
extension_drivers = port_security
[ml2_type_flat]
flat_networks = provider
[quotas]
quota_port = 7
`
  const { config } = loadConfig(networkConfigOptions, { files: [{ path: 'ml2_conf.ini', content }] })
  const options = networkOptionsOf(config)
  assert.deepEqual([options.typeDrivers, options.tenantNetworkTypes], [['flat', 'vlan'], []])
  assert.deepEqual([options.quotas['port'], options.quotas['network']], [7, 100])
  await using cloud = await testNetwork({ options })
  assert.equal((await cloud.member('POST', '/networks', { network: {} })).status, 503)
  const network = { 'provider:network_type': 'flat', 'provider:physical_network': 'provider', shared: true }
  assert.equal((await cloud.admin('POST', '/networks', { network })).status, 201)
  const aliases = await cloud.client('member:blue').listExtensions()
  assert.deepEqual([aliases.includes('port-security'), aliases.includes('dns-integration')], [true, false])
})

test('service plugins are those that are always there; any other is refused with what it would bring', () => {
  const read = (value: string) => {
    const content = `[DEFAULT]\nservice_plugins = ${value}\n`
    return loadConfig(neutronServerOptions, { files: [{ path: 'neutron.conf', content }] }).config
      .servicePlugins
  }
  assert.deepEqual(read(''), [])
  assert.deepEqual(read('tag,neutron.services.flavors.flavors_plugin.FlavorsPlugin'), ['tag', 'flavors'])
  assert.throws(
    () => read('tag,router'),
    /neutron\.conf:2.*service_plugins.*names router, but Kilonova has no routers and floating IPs; take it out/,
  )
  assert.throws(() => read('neutron.services.qos.qos_plugin.QoSPlugin'), /has no QoS policies/)
  assert.throws(
    () => read('rooter'),
    /names rooter, which is no service plugin; there are auto_allocate, flavors/,
  )
})
