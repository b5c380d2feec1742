/** Our agents beside OpenStack's own neutron-server, as it was heard to answer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryBus } from '../../../base/bus/memory.ts'
import { isFault } from '../../../base/errors.ts'
import type { AgentReport, KnownL2 } from '../../rpc/agents.ts'
import { serverTopic } from '../../rpc/agents.ts'
import { dhcpDeviceId } from '../../rpc/dhcp-device-id.ts'
import { serverOf } from '../server.ts'

const host = 'compute1'
const known: KnownL2 = { networks: [], tunnelled: [], securityGroups: [], remoteGroups: [] }
const since = { host, revision: null }

const subnet = {
  id: 'subnet',
  cidr: '203.0.113.0/24',
  ip_version: 4,
  gateway_ip: '203.0.113.1',
  enable_dhcp: true,
  dns_nameservers: [],
  host_routes: [],
  ipv6_ra_mode: null,
  ipv6_address_mode: null,
}

const port = {
  id: 'port',
  network_id: 'network',
  project_id: 'project',
  mac_address: 'fa:16:3e:00:00:01',
  device_owner: 'compute:nova',
  device_id: 'server',
  admin_state_up: true,
  port_security_enabled: true,
  fixed_ips: [{ subnet_id: 'subnet', ip_address: '203.0.113.9' }],
  allowed_address_pairs: [],
  security_groups: ['group'],
  status: 'DOWN',
  'binding:vif_type': 'bridge',
}

const report: AgentReport = {
  agentType: 'Linux bridge agent',
  binary: 'neutron-linuxbridge-agent',
  host,
  topic: 'N/A',
  configurations: { interface_mappings: { provider: 'eth1' } },
  started: true,
}

interface StateReport {
  time: string
  agent_state: { agent_state: Record<string, unknown> }
}

type Methods = Record<string, (args: never) => unknown>

/** A server that knows these methods only, and what it was asked. */
async function original(methods: Methods) {
  const bus = createMemoryBus()
  const asked: { method: string; args: unknown }[] = []
  const heard = Object.entries(methods).map(([method, answer]) => [
    method,
    (args: never) => {
      asked.push({ method, args })
      return answer(args)
    },
  ])
  const serving = await bus.serve({ topic: serverTopic, server: 'one' }, Object.fromEntries(heard))
  return { bus, asked, serving }
}

test('a server that does not know our words is asked in its own, and found out once', async () => {
  const { bus, asked } = await original({ report_state: () => 'new' })
  let found = 0
  const server = serverOf({ bus }, () => found++)
  assert.deepEqual(await server.reportState(report), { known: false })
  assert.deepEqual(await server.reportState({ ...report, started: false }), { known: false })
  assert.equal(found, 1)
  const [first, second] = asked.map(({ args }) => args as StateReport)
  assert.match(first?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
  const { resource_versions: versions, ...state } = first?.agent_state.agent_state ?? {}
  assert.deepEqual(state, {
    agent_type: 'Linux bridge agent',
    binary: 'neutron-linuxbridge-agent',
    host,
    topic: 'N/A',
    configurations: report.configurations,
    start_flag: true,
  })
  assert.deepEqual(Object.keys(versions as object), ['Port', 'SecurityGroup', 'SecurityGroupRule'])
  assert.equal(second?.agent_state.agent_state['start_flag'], undefined)
})

test('one that is replaced by a server of ours is asked in our words again', async () => {
  const { bus, serving } = await original({ report_state: () => 'alive' })
  const server = serverOf({ bus })
  assert.deepEqual(await server.reportState(report), { known: true })
  await serving[Symbol.asyncDispose]()
  await bus.serve({ topic: serverTopic, server: 'ours' }, { reportState: () => ({ known: false }) })
  assert.deepEqual(await server.reportState(report), { known: false })
})

test('what a host must wire is put together: ports that are bound, networks, groups with their members', async () => {
  const { bus, asked } = await original({
    get_ports: () => [port, { ...port, id: 'unbound', 'binding:vif_type': 'binding_failed' }],
    get_networks: () => [
      {
        id: 'network',
        mtu: 1500,
        admin_state_up: true,
        'provider:network_type': 'flat',
        'provider:physical_network': 'provider',
        'provider:segmentation_id': null,
      },
    ],
    security_group_info_for_devices: () => ({
      devices: {},
      security_groups: {
        group: [
          { direction: 'egress', ethertype: 'IPv4', stateful: true },
          { direction: 'ingress', ethertype: 'IPv4', stateful: true, remote_group_id: 'group' },
          {
            direction: 'ingress',
            ethertype: 'IPv4',
            stateful: true,
            protocol: 'tcp',
            port_range_min: 22,
            port_range_max: 22,
            source_ip_prefix: '192.0.2.0/24',
          },
          { direction: 'ingress', ethertype: 'IPv4', stateful: true, remote_address_group_id: 'office' },
        ],
      },
      sg_member_ips: {
        group: { IPv4: [['203.0.113.9', 'fa:16:3e:00:00:01']] },
        office: {
          IPv4: [
            ['198.51.100.0/25', null],
            ['198.51.100.200/32', null],
          ],
        },
      },
    }),
  })
  const wanted = await serverOf({ bus }).wantedL2({ ...since, known })
  assert.equal(wanted.whole, true)
  assert.deepEqual(
    wanted.ports.map(({ id, status, securityGroupIds, fixedIps }) => ({
      id,
      status,
      securityGroupIds,
      fixedIps,
    })),
    [
      {
        id: 'port',
        status: 'DOWN',
        securityGroupIds: ['group'],
        fixedIps: [{ subnetId: 'subnet', ipAddress: '203.0.113.9', prefixLength: 32 }],
      },
    ],
  )
  assert.deepEqual(wanted.networks, [
    {
      id: 'network',
      networkType: 'flat',
      physicalNetwork: 'provider',
      segmentationId: null,
      mtu: 1500,
      adminStateUp: true,
    },
  ])
  assert.deepEqual(
    wanted.securityGroups['group']?.rules.map(
      (rule) =>
        `${rule.direction} ${rule.protocol} ${rule.portRangeMin} ${rule.remoteIpPrefix} ${rule.remoteGroupId}`,
    ),
    [
      'egress null null null null',
      'ingress null null null group',
      'ingress tcp 22 192.0.2.0/24 null',
      'ingress null null 198.51.100.0/25 null',
      'ingress null null 198.51.100.200/32 null',
    ],
  )
  assert.deepEqual(wanted.members, [
    { groupId: 'group', portId: 'fa:16:3e:00:00:01', addresses: ['203.0.113.9/32'] },
  ])
  assert.deepEqual(asked[0]?.args, { filters: { 'binding:host_id': [host] } })
})

test('a port that the server could not note is an error, so that it is reported again', async () => {
  const answer = { devices_up: [], failed_devices_up: ['port'], devices_down: [], failed_devices_down: [] }
  const { bus } = await original({ update_device_list: () => answer })
  await assert.rejects(serverOf({ bus }).portsChanged({ host, up: ['port'], down: [] }), (error) =>
    isFault(error, 'unavailable'),
  )
})

test('DHCP: the agent makes its port with an address on every subnet that has DHCP, and keeps one that fits', async () => {
  const network = { id: 'network', project_id: 'project', mtu: 1500, subnets: [subnet], ports: [port] }
  const own = { ...port, id: 'own', device_owner: 'network:dhcp', device_id: dhcpDeviceId(host, 'network') }
  let ports = [port]
  const { bus, asked } = await original({
    get_active_networks_info: () => [{ ...network, ports }],
    get_network_info: () => ({ ...network, ports }),
    create_dhcp_port: () => {
      ports = [port, own]
      return own
    },
  })
  const server = serverOf({ bus })
  const before = await server.wantedDhcp({ ...since, networks: [] })
  assert.equal(before.networks[0]?.dhcpPort, null)
  const made = await server.ensureDhcpPort({ host, networkId: 'network' })
  const addresses = [{ subnetId: 'subnet', ipAddress: '203.0.113.9', prefixLength: 24 }]
  assert.deepEqual(made, { id: 'own', macAddress: port.mac_address, fixedIps: addresses })
  assert.deepEqual(await server.ensureDhcpPort({ host, networkId: 'network' }), made)
  const after = await server.wantedDhcp({ ...since, networks: [] })
  assert.deepEqual(after.networks[0]?.dhcpPort, made)
  assert.deepEqual(
    after.networks[0]?.ports.map(({ id, fixedIps }) => ({ id, fixedIps })),
    [{ id: 'port', fixedIps: addresses }],
  )
  const creations = asked.filter(({ method }) => method === 'create_dhcp_port')
  assert.equal(creations.length, 1)
  const [sent] = creations.map(({ args }) => args as { port: { port: Record<string, unknown> } })
  assert.deepEqual(sent?.port.port['fixed_ips'], [{ subnet_id: 'subnet' }])
  assert.equal(sent?.port.port['device_id'], own.device_id)
})
