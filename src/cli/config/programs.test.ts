import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authtokenOf } from '../../base/config/common/auth.ts'
import { loggingOf } from '../../base/config/common/logging.ts'
import { loadConfig } from '../../base/config/load.ts'
import { defaultConductorConfig } from '../../compute/conductor/deps.ts'
import { defaultResourceConfig } from '../../compute/conductor/register-hosts.ts'
import { defaultComputeApiConfig } from '../../compute/config.ts'
import { concurrentBuildsOf, libvirtDriverOptionsOf } from '../../compute/config-file/agent.ts'
import { computeApiConfigOf } from '../../compute/config-file/api.ts'
import { neutronClientOf, placementClientOf } from '../../compute/config-file/clients.ts'
import { conductorConfigOf, resourceConfigOf } from '../../compute/config-file/control.ts'
import { defaultSettings } from '../../image/config.ts'
import { imageSettingsOf } from '../../image/config-file.ts'
import { bridgeOptionsOf, dhcpOptionsOf, metadataUrlOf } from '../../network/config-file/agents.ts'
import { networkOptionsOf } from '../../network/config-file/behaviour.ts'
import { novaClientOf } from '../../network/config-file/neutron.ts'
import { programs, sourcesOf } from './programs.ts'

/** As the installation guide writes them, for a controller and a compute host. */
const guide = (...files: string[]) => ({
  configFiles: files.map((file) => new URL(`../../../tests/guide/${file}`, import.meta.url).pathname),
  environment: {},
})

test("nova's programs read the guide's nova.conf of the controller", () => {
  const sources = sourcesOf('nova-api', guide('controller/nova.conf'))
  const { config } = loadConfig(programs['nova-api'].options, sources)
  assert.deepEqual(config.enabledApis, ['osapi_compute', 'metadata'])
  assert.equal(config.apiDatabaseConnection, 'mysql+pymysql://nova:nova@controller/nova_api')
  assert.equal(config.databaseConnection, 'mysql+pymysql://nova:nova@controller/nova')
  assert.equal(config.transportUrl, 'rabbit://openstack:openstack@controller')
  assert.equal(config.vncServerListen, '173.168.16.224')
  assert.deepEqual(config.glanceApiServers, ['http://controller:9292'])
  assert.equal(config.metadataProxySharedSecret, 'neutron')
  const authtoken = authtokenOf(config)
  assert.equal(authtoken.wwwAuthenticateUri, 'http://controller:5000')
  assert.deepEqual(authtoken.memcachedServers, ['controller:11211'])
  const placement = placementClientOf(config)
  assert.deepEqual([placement.regionName, placement.username], ['RegionOne', 'placement'])
  assert.deepEqual([placement.authUrl, placement.userDomainName], ['http://controller:35357/v3', 'Default'])
  assert.equal(neutronClientOf(config).endpointOverride, 'http://controller:9696')
})

test("nova-compute reads the guide's nova.conf of a compute host, which names no database", () => {
  const sources = sourcesOf('nova-compute', guide('compute/nova.conf'))
  const { config } = loadConfig(programs['nova-compute'].options, sources)
  assert.deepEqual(libvirtDriverOptionsOf(config), {
    instancesPath: '/var/lib/nova/instances',
    virtType: 'qemu',
    vncListen: '0.0.0.0',
  })
  assert.deepEqual([config.databaseConnection, config.apiDatabaseConnection], [null, null])
})

test("neutron-server reads the guide's neutron.conf and ml2_conf.ini", () => {
  const sources = sourcesOf('neutron-server', guide('controller/neutron.conf', 'controller/ml2_conf.ini'))
  const { config } = loadConfig(programs['neutron-server'].options, sources)
  const network = networkOptionsOf(config)
  assert.deepEqual([network.typeDrivers, network.tenantNetworkTypes], [['flat', 'vlan'], []])
  assert.deepEqual([network.mechanismDrivers, network.flatNetworks], [['linuxbridge'], ['provider']])
  assert.equal(novaClientOf(config).regionName, 'RegionOne')
  assert.equal(config.databaseConnection, 'mysql+pymysql://neutron:neutron@controller/neutron')
})

test("neutron's agents read the guide's files", () => {
  const read = (
    program: 'neutron-linuxbridge-agent' | 'neutron-dhcp-agent' | 'neutron-metadata-agent',
    file: string,
  ) => sourcesOf(program, guide('controller/neutron.conf', `controller/${file}`))
  const bridge = read('neutron-linuxbridge-agent', 'linuxbridge_agent.ini')
  const bridgeOptions = bridgeOptionsOf(
    loadConfig(programs['neutron-linuxbridge-agent'].options, bridge).config,
  )
  assert.deepEqual(bridgeOptions.physicalInterfaceMappings, { provider: 'ens33' })
  assert.equal(bridgeOptions.vxlan.enabled, false)
  const dhcp = read('neutron-dhcp-agent', 'dhcp_agent.ini')
  const dhcpOptions = dhcpOptionsOf(loadConfig(programs['neutron-dhcp-agent'].options, dhcp).config)
  assert.equal(dhcpOptions.enableIsolatedMetadata, true)
  assert.equal(dhcpOptions.metadataProxySocket, '/var/lib/neutron/metadata_proxy')
  const metadata = read('neutron-metadata-agent', 'metadata_agent.ini')
  const metadataConfig = loadConfig(programs['neutron-metadata-agent'].options, metadata).config
  assert.equal(metadataUrlOf(metadataConfig), 'http://controller:8775')
})

test('without files every program has the defaults of the services', () => {
  const nova = loadConfig(programs['nova-api'].options).config
  assert.deepEqual(computeApiConfigOf(nova), defaultComputeApiConfig)
  assert.deepEqual(conductorConfigOf(nova), defaultConductorConfig)
  assert.deepEqual(resourceConfigOf(nova), defaultResourceConfig)
  assert.equal(concurrentBuildsOf(nova), 10)
  assert.deepEqual(imageSettingsOf(loadConfig(programs['glance-api'].options).config), defaultSettings)
  for (const { options } of Object.values(programs)) loadConfig(options)
})

test('the log goes to a file of its directory, called as the program unless the file has a name', () => {
  const logging = (content: string) => {
    const files = [{ path: 'nova.conf', content: `[DEFAULT]\n${content}` }]
    return loggingOf(loadConfig(programs['nova-api'].options, { files }).config, 'nova-api')
  }
  assert.deepEqual(logging(''), { level: 'info' })
  assert.deepEqual(logging('log_dir = /var/log/nova\ndebug = true'), {
    level: 'debug',
    destination: '/var/log/nova/nova-api.log',
  })
  assert.equal(logging('log_dir = /var/log/nova\nlogfile = api.log').destination, '/var/log/nova/api.log')
  assert.equal(logging('log_dir = /var/log/nova\nlog_file = /tmp/x').destination, '/tmp/x')
})
