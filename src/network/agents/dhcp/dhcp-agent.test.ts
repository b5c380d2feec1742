import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryBus } from '../../../base/bus/memory.ts'
import { silentLogger } from '../../../base/log.ts'
import { FakeHost } from '../../../linux/fake/fake-host.ts'
import type { WantedDhcpNetwork, WantedSubnet } from '../../rpc/agents.ts'
import { dhcpNamespace, namespaceDeviceName, tapName } from '../names.ts'
import { networkId, stubServer } from '../testing.ts'
import { simulatedDaemons } from './daemons.ts'
import { dnsmasqConfig } from './dnsmasq-config.ts'
import { type DhcpOptions, defaultDhcpOptions } from './options.ts'
import { startDhcpAgent } from './start-dhcp-agent.ts'

const options: DhcpOptions = {
  ...defaultDhcpOptions,
  stateDirectory: '/state',
  metadataProxySocket: '/state/metadata_proxy',
}

const subnet4: WantedSubnet = {
  id: 's4',
  cidr: '10.0.0.0/24',
  ipVersion: 4,
  gatewayIp: '10.0.0.1',
  enableDhcp: true,
  dnsNameservers: [],
  hostRoutes: [],
  ipv6RaMode: null,
  ipv6AddressMode: null,
}

const subnet6 = (mode: string | null): WantedSubnet => ({
  ...subnet4,
  id: 's6',
  cidr: '2001:db8::/64',
  ipVersion: 6,
  gatewayIp: '2001:db8::1',
  ipv6RaMode: mode,
  ipv6AddressMode: mode,
})

const aServedPort = (values: Partial<WantedDhcpNetwork['ports'][number]> = {}) => ({
  id: 'p1',
  macAddress: 'fa:16:3e:00:00:05',
  deviceOwner: 'compute:nova',
  dnsName: '',
  fixedIps: [{ subnetId: 's4', ipAddress: '10.0.0.5', prefixLength: 24 }],
  extraDhcpOptions: [],
  ...values,
})

const aServedNetwork = (values: Partial<WantedDhcpNetwork> = {}) => ({
  id: networkId,
  mtu: 1450,
  dnsDomain: 'openstacklocal',
  subnets: [subnet4],
  ports: [aServedPort()],
  ...values,
  dhcpPort: {
    id: 'dddddddd-dddd-4ddd-8ddd-dddddddddddd',
    macAddress: 'fa:16:3e:00:00:02',
    fixedIps: [{ subnetId: 's4', ipAddress: '10.0.0.2', prefixLength: 24 }],
  },
})

const config = (values: Partial<WantedDhcpNetwork> = {}, changed: Partial<DhcpOptions> = {}) => {
  const network = aServedNetwork(values)
  const ports = new Map(network.ports.map((port) => [port.id, port]))
  const where = { directory: '/state/dhcp/n', asRoot: false }
  return dnsmasqConfig({ ...network, ports }, { ...options, ...changed }, where)
}

test('a guest is known by its MAC address, with a name and an address', () => {
  const { hosts, addnHosts, args } = config()
  assert.equal(hosts, 'fa:16:3e:00:00:05,host-10-0-0-5.openstacklocal,10.0.0.5\n')
  assert.equal(addnHosts, '10.0.0.5\thost-10-0-0-5.openstacklocal host-10-0-0-5\n')
  assert.ok(args.includes('--dhcp-range=set:subnet-s4,10.0.0.0,static,255.255.255.0,86400s'))
  assert.ok(args.includes('--dhcp-option-force=option:mtu,1450'))
})

test('without a router the DHCP port is the way to the metadata service, with one its gateway is', () => {
  const isolated = config().options
  assert.match(
    isolated,
    /option:classless-static-route,169\.254\.169\.254\/32,10\.0\.0\.2,0\.0\.0\.0\/0,10\.0\.0\.1$/m,
  )
  const router = aServedPort({
    id: 'r',
    deviceOwner: 'network:router_interface',
    fixedIps: [{ subnetId: 's4', ipAddress: '10.0.0.1', prefixLength: 24 }],
  })
  assert.match(config({ ports: [router] }).options, /169\.254\.169\.254\/32,10\.0\.0\.1,/)
  assert.equal(
    config({}, { enableIsolatedMetadata: false }).options,
    'tag:subnet-s4,option:router,10.0.0.1\n',
  )
})

test('name servers and routes of a subnet reach its guests; 0.0.0.0 means no name server', () => {
  const subnet = {
    ...subnet4,
    gatewayIp: null,
    dnsNameservers: ['192.0.2.1', '192.0.2.2'],
    hostRoutes: [{ destination: '10.9.0.0/16', nexthop: '10.0.0.9' }],
  }
  assert.deepEqual(config({ subnets: [subnet] }, { enableIsolatedMetadata: false }).options.split('\n'), [
    'tag:subnet-s4,option:dns-server,192.0.2.1,192.0.2.2',
    'tag:subnet-s4,option:classless-static-route,10.9.0.0/16,10.0.0.9',
    'tag:subnet-s4,249,10.9.0.0/16,10.0.0.9',
    'tag:subnet-s4,option:router',
    '',
  ])
  const silent = config({ subnets: [{ ...subnet4, dnsNameservers: ['0.0.0.0'] }] })
  assert.match(silent.options, /^tag:subnet-s4,option:dns-server$/m)
})

test('IPv6: stateful guests have an address, stateless ones only options, and SLAAC needs no server', () => {
  const port = aServedPort({
    fixedIps: [{ subnetId: 's6', ipAddress: '2001:db8::5', prefixLength: 64 }],
    extraDhcpOptions: [{ name: 'dns-server', value: '2001:db8::53', ipVersion: 6 }],
  })
  const stateful = config({ subnets: [subnet6('dhcpv6-stateful')], ports: [port] })
  assert.equal(
    stateful.hosts,
    'fa:16:3e:00:00:05,host-2001-db8--5.openstacklocal,[2001:db8::5],set:port-p1\n',
  )
  assert.ok(stateful.args.includes('--dhcp-range=set:subnet-s6,2001:db8::,static,64,86400s'))
  assert.match(stateful.options, /^tag:port-p1,option6:dns-server,2001:db8::53$/m)
  const stateless = config({ subnets: [subnet6('dhcpv6-stateless')], ports: [port] })
  assert.equal(stateless.hosts, 'fa:16:3e:00:00:05,set:port-p1\n')
  const slaac = config({ subnets: [subnet6('slaac')], ports: [port] })
  assert.equal(slaac.hosts, '')
  assert.equal(
    slaac.args.some((arg) => arg.startsWith('--dhcp-range')),
    false,
  )
})

test('an extra option cannot smuggle in a line of its own', () => {
  const port = aServedPort({
    extraDhcpOptions: [
      { name: 'bootfile-name', value: 'a\ntag:port-p2,option:router,10.0.0.66', ipVersion: 4 },
      { name: '150', value: '192.0.2.9', ipVersion: 4 },
      { name: 'client-id', value: '01:02', ipVersion: 4 },
    ],
  })
  const { options: text, hosts } = config({ ports: [port] })
  assert.match(text, /^tag:port-p1,option:bootfile-name,a$/m)
  assert.match(text, /^tag:port-p1,150,192\.0\.2\.9$/m)
  assert.doesNotMatch(text, /10\.0\.0\.66/)
  assert.match(hosts, /^fa:16:3e:00:00:05,id:01:02,host-10-0-0-5/)
})

async function startAgent() {
  await using undo = new AsyncDisposableStack()
  const bus = createMemoryBus()
  undo.defer(() => bus.close())
  const server = undo.use(await stubServer(bus))
  const host = new FakeHost()
  const daemons = simulatedDaemons()
  const agent = undo.use(
    await startDhcpAgent({
      bus,
      host,
      daemons,
      hostName: 'network1',
      log: silentLogger,
      cloudId: 'default',
      options,
    }),
  )
  const kept = undo.move()
  return { server, host, daemons, agent, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

test('a network gets a port, a namespace and its server; each port is reported ready once', async () => {
  await using world = await startAgent()
  const { server, host, agent, daemons } = world
  server.dhcp = [{ ...aServedNetwork(), dhcpPort: null }]
  await agent.sync()
  const port = server.dhcp[0]?.dhcpPort
  assert.ok(port)
  assert.deepEqual(await daemons.served(), [networkId])
  assert.ok((await host.links()).has(tapName(port.id)))
  const inside = (await host.links(dhcpNamespace(networkId))).get(namespaceDeviceName(port.id))
  assert.deepEqual(inside?.addresses, ['10.0.0.2/24', '169.254.169.254/32'])
  assert.equal(inside?.mtu, 1450)
  assert.deepEqual(await host.routes(dhcpNamespace(networkId)), [
    { destination: 'default', gateway: '10.0.0.1', device: namespaceDeviceName(port.id) },
  ])
  assert.ok(server.dhcpReady.includes('p1'))

  const [changes, ready] = [host.changes, server.dhcpReady.filter((id) => id === 'p1').length]
  await agent.sync()
  server.dhcp[0]!.ports.push(aServedPort({ id: 'p2' }))
  await agent.sync()
  assert.equal(host.changes, changes)
  assert.equal(server.dhcpReady.filter((id) => id === 'p1').length, ready)
  assert.ok(server.dhcpReady.includes('p2'))
})

test('a network that is gone, or has no DHCP any more, leaves nothing', async () => {
  await using world = await startAgent()
  const { server, host, agent, daemons } = world
  server.dhcp = [aServedNetwork()]
  await agent.sync()
  server.dhcp = [aServedNetwork({ subnets: [{ ...subnet4, enableDhcp: false }] })]
  await agent.sync()
  assert.deepEqual(await daemons.served(), [])
  assert.deepEqual(await host.namespaces(), [])
  assert.deepEqual([...(await host.links()).keys()], [])
  assert.deepEqual(server.released, [networkId])
})
