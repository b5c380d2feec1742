import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ensureBridges } from '#compute/virt/libvirt/vifs.ts'
import { ruleText } from '#network/agents/bridge/rule-text.ts'
import { dnsmasqConfig } from '#network/agents/dhcp/dnsmasq-config.ts'
import { defaultDhcpOptions } from '#network/agents/dhcp/options.ts'
import { cloudNames } from '#network/agents/names.ts'
import { aRule, groupId, networkId } from '#network/agents/testing.ts'
import { forgetConnections } from '../../conntrack.ts'
import { changeForwarding } from '../../fdb.ts'
import { changeRules, noChange } from '../../iptables.ts'
import { changeLinks } from '../../links.ts'
import { parseProtocols } from '../../protocols.ts'
import type { Request } from '../protocol.ts'
import { caller, judgingRun } from '../testing.ts'
import { decide } from './decide.ts'

const netns = `qdhcp-${networkId}`
const neutron = judgingRun('neutron')
const ask = (command: string, args: string, more: Partial<Request> = {}) =>
  decide('neutron', caller, { command, args: args === '' ? [] : args.split(' '), ...more })
const denied = (command: string, args: string, more: Partial<Request> = {}) =>
  assert.ok('denied' in ask(command, args, more), `${command} ${args} ${JSON.stringify(more)} was allowed`)
const restore = (line: string) => `*filter\n${line}\nCOMMIT\n`

/** A command line of the DHCP agent. */
const dnsmasqArgs = (dnsDomain = 'openstacklocal') =>
  dnsmasqConfig(
    {
      id: networkId,
      mtu: 1450,
      dnsDomain,
      subnets: ['10.0.0.0/24', '2001:db8::/64'].map((cidr, index) => ({
        id: `${index}1111111-1111-4111-8111-111111111111`,
        cidr,
        ipVersion: index === 0 ? 4 : 6,
        gatewayIp: null,
        enableDhcp: true,
        dnsNameservers: [],
        hostRoutes: [],
        ipv6RaMode: null,
        ipv6AddressMode: index === 0 ? null : 'dhcpv6-stateful',
      })),
      dhcpPort: { id: networkId, macAddress: 'fa:16:3e:00:00:02', fixedIps: [] },
      ports: new Map(),
    },
    {
      ...defaultDhcpOptions,
      stateDirectory: '/var/lib/neutron',
      metadataProxySocket: '/var/lib/neutron/metadata_proxy',
      dnsServers: ['192.0.2.53', '2001:db8::53#5353'],
    },
    { directory: `/var/lib/neutron/dhcp/${networkId}`, asRoot: false },
  ).args

test('rules of security groups are allowed with every protocol that a host knows', async () => {
  const protocols = parseProtocols(readFileSync('/etc/protocols', 'utf8'))
  const names = cloudNames('default')
  const rules = [...Array(256).keys()].flatMap((protocol) => [
    aRule({ protocol: String(protocol), remoteIpPrefix: '192.0.2.0/24' }),
    aRule({ protocol: String(protocol), ethertype: 'IPv6', portRangeMin: 1, portRangeMax: 2 }),
  ])
  rules.push(
    aRule({ remoteGroupId: groupId }),
    aRule({ protocol: 'icmp', portRangeMin: 8, portRangeMax: 0 }),
    aRule({ protocol: 'tcp', portRangeMin: 22, portRangeMax: 22, remoteIpPrefix: '::ffff:192.0.2.1' }),
  )
  const texts = rules.map((rule) => ruleText(rule, names, protocols))
  const change = { ...noChange('filter'), create: ['neutron-linuxbri-i12345678-1'] }
  change.fill = new Map([['neutron-linuxbri-i12345678-1', texts]])
  await changeRules(neutron, 'ipv4', [change])
})

test("what OpenStack's agents left in the filters is taken out", async () => {
  const change = noChange('filter')
  change.removeRules = [
    { chain: 'neutron-filter-top', rule: '-j neutron-linuxbri-local' },
    { chain: 'OUTPUT', rule: '-j neutron-linuxbri-OUTPUT' },
  ]
  change.remove = ['neutron-linuxbri-local', 'neutron-linuxbri-OUTPUT']
  await changeRules(neutron, 'ipv4', [change])
})

test('changes of devices that no scenario makes are allowed, too', async () => {
  await changeLinks(neutron, [
    { do: 'add-vxlan', name: 'vxlan-70', vni: 70, localIp: '2001:db8::1', port: 8472 },
    {
      do: 'add-vxlan',
      name: 'vxlan-71',
      vni: 71,
      localIp: '192.0.2.1',
      port: 4789,
      group: { address: '239.1.1.1', device: 'eth0.5' },
    },
    { do: 'add-vlan', name: 'eth0.100', parent: 'eth0', vlanId: 100 },
    { do: 'add-vlan', name: 'eth0.5.100', parent: 'eth0.5', vlanId: 100 },
    { do: 'set', name: 'eth0', master: null, mtu: 9000, up: false },
    { do: 'add-route', name: 'brq11111111-11', destination: 'default', gateway: '192.0.2.1' },
    { do: 'add-route', name: 'brq11111111-11', destination: '198.51.100.0/24' },
    { do: 'remove', name: 'eth0.100' },
  ])
  const entry = { macAddress: '00:00:00:00:00:00', destination: '192.0.2.7' }
  await changeForwarding(neutron, 'vxlan-70', { add: [entry], remove: [entry] })
  await forgetConnections(neutron, [
    { address: '10.0.0.3', zone: 4097 },
    { address: '2001:db8::3', zone: 65535 },
  ])
  await neutron('ip', ['netns', 'delete', netns])
  await neutron('sysctl', ['-q', '-w', 'net/ipv6/conf/brq11111111-11/disable_ipv6=1'])
  await neutron('sysctl', ['-q', '-w', 'net/bridge/bridge-nf-call-ip6tables=1'])
  await neutron('modprobe', ['br_netfilter'])
  await neutron('sysctl', ['-q', '-w', 'net/ipv4/ip_unprivileged_port_start=80'], { netns })
  const vif = { type: 'bridge', bridgeName: 'brq11111111-11' } as never
  await ensureBridges([vif], judgingRun('nova'), 'default')
})

test('daemons run in the namespace of a network, as their caller, with few capabilities or none and no way to more', () => {
  for (const domain of ['openstacklocal', 'a-b.example.org', '']) {
    const decision = decide('neutron', caller, { command: 'dnsmasq', args: dnsmasqArgs(domain), netns })
    assert.ok('args' in decision, JSON.stringify(decision))
    assert.deepEqual(decision.args.slice(0, 3), ['netns', 'exec', netns])
    for (const word of ['--reuid=64061', '--regid=64061', '--clear-groups', '--no-new-privs'])
      assert.ok(decision.args.includes(word), word)
    assert.ok(
      decision.args.includes('--bounding-set=-all,+net_bind_service,+net_admin,+net_raw'),
      decision.args.join(' '),
    )
  }
  const haproxy = ask('haproxy', `-D -f /var/lib/neutron/dhcp/${networkId}/haproxy.conf`, { netns })
  assert.ok('args' in haproxy && haproxy.args.includes('--bounding-set=-all'))
})

test('a daemon is denied without a caller, outside a namespace of a network, and with options of any other kind', () => {
  const request = { command: 'dnsmasq', args: dnsmasqArgs(), netns }
  assert.ok('denied' in decide('neutron', undefined, request))
  for (const other of [
    undefined,
    '',
    '../../proc/1/ns/net',
    '/proc/1/ns/net',
    'default',
    `${netns}/../x`,
    '-a',
  ])
    assert.ok('denied' in decide('neutron', caller, { ...request, netns: other }), `${other}`)
  for (const option of [
    '--dhcp-script=/tmp/x',
    '--conf-file=/etc/shadow',
    '-C/etc/shadow',
    '--user=root',
    '--log-facility=/etc/x',
    '--tftp-root=/',
    '--enable-tftp',
    '--dhcp-luascript=/tmp/x',
    '--conf-dir=/tmp',
    '--pid-file=/etc/x',
    '-u',
  ]) {
    assert.ok('denied' in decide('neutron', caller, { ...request, args: [...request.args, option] }), option)
    assert.ok('denied' in decide('neutron', caller, { ...request, args: [option, ...request.args] }), option)
    const instead = [option, ...request.args.slice(1)]
    assert.ok('denied' in decide('neutron', caller, { ...request, args: instead }), option)
  }
  const outside = request.args.map((word) => word.replace('/var/lib/neutron', '/var/lib/neutron/../../..'))
  assert.ok('denied' in decide('neutron', caller, { ...request, args: outside }))
  denied('haproxy', '-D -f /tmp/x.conf', { netns })
  denied('haproxy', `-D -f /var/lib/neutron/dhcp/${networkId}/haproxy.conf -f /tmp/x`, { netns })
  denied('haproxy', `-Ws -f /var/lib/neutron/dhcp/${networkId}/haproxy.conf`, { netns })
})

test('there is no way to a shell, to a program of the caller, or to a file of the host', () => {
  for (const [command, args] of [
    ['sh', '-c id'],
    ['/tmp/ip', 'netns list'],
    ['../tmp/ip', '-json netns list'],
    ['/usr/sbin/ip', '-json netns list'],
    ['constructor', ''],
    ['__proto__', ''],
    ['kill', '-9 1'],
    ['ip', 'netns exec x sh'],
    ['ip', `netns exec ${netns} sh`],
    ['ip', '-batch /etc/shadow'],
    ['ip', '-b /etc/shadow'],
    ['ip', '-force -batch /etc/shadow'],
    ['ip', 'netns add ../x'],
    ['ip', 'netns add other'],
    ['ip', 'netns delete default'],
    ['ip', '-netns /proc/1/ns/net link set lo up'],
    ['ip', '-json -details address show extra'],
    ['ip', 'vrf exec x sh'],
    ['ip', 'netns attach x 1'],
    ['bridge', '-batch /etc/shadow'],
    ['bridge', '-json fdb show dev -x'],
    ['iptables-save', '-f /etc/x'],
    ['iptables-save', '--modprobe=/tmp/x'],
    ['iptables-save', '-M /tmp/x'],
    ['iptables-restore', '--noflush --modprobe=/tmp/x'],
    ['iptables-restore', '--wait 10'],
    ['iptables-restore', '/etc/shadow'],
    ['ipset', 'restore -file /etc/shadow'],
    ['ipset', '-exist restore -file /etc/shadow'],
    ['ipset', 'save -file /etc/x'],
    ['conntrack', '-F'],
    ['conntrack', '-D -f ipv4 -w 1 --orig-src 10.0.0.1 -o save'],
    ['modprobe', '-C /tmp br_netfilter'],
    ['modprobe', 'br_netfilter evil'],
    ['modprobe', 'evil'],
    ['sysctl', '-q -w kernel/core_pattern=|/tmp/x'],
    ['sysctl', '-q -w net/ipv6/conf/../../../kernel/core_pattern=1'],
    ['sysctl', '-q -w net/ipv6/conf/all/disable_ipv6=1'],
    ['sysctl', '-p /tmp/x'],
  ] as const)
    denied(command, args)
  denied('ip', '-json netns list', { netns })
  denied('sysctl', '-q -w net/ipv4/ip_unprivileged_port_start=80')
  denied('sysctl', '-q -w net/ipv6/conf/brq1/disable_ipv6=1', { netns })
  denied('ip', '-json netns list', { input: 'netns add x\n' })
})

test('a word is one word: blanks, lines, quotes and empty words are denied', () => {
  for (const args of [
    ['-json', 'netns list'],
    ['-json', 'netns', 'list\n'],
    ['-json', 'netns', 'list', ''],
    ['-json', 'netns', 'list\0'],
    ['-json netns list'],
    ['"-json"', 'netns', 'list'],
  ])
    assert.ok('denied' in decide('neutron', caller, { command: 'ip', args }), JSON.stringify(args))
})

test('an input has no line of another kind in it', () => {
  const batch = (line: string) => denied('ip', '-force -batch -', { input: `${line}\n` })
  for (const line of [
    'netns exec x sh',
    `netns exec ${netns} sh`,
    'link set dev eth0 netns 1',
    'link set dev eth0 up # x',
    'link set dev eth0 up \\',
    'link set dev eth0 alias "x"',
    'link set dev eth0 xdpgeneric object /tmp/x.o',
    'link add name tap1 type veth peer name ns-1 netns other',
    'link add name x type dummy',
    'link delete dev docker0',
    'link set dev -x up',
    'link set dev eth0  up',
    'address replace 10.0.0.1/24 dev eth0 netns x',
    'route replace default via 10.0.0.1 dev eth0 table 7',
    '-batch /etc/shadow',
    '',
  ])
    batch(line)
  denied('ip', '-force -batch -', { input: 'link set dev eth0 up' })
  denied('ip', '-force -batch -', { input: 'link set dev eth0 up\nnetns exec x sh\n' })
  denied('ip', '-force -batch -', { input: 'link set dev eth0 up\r\n' })
  denied('bridge', '-force -batch -', { input: 'link set dev eth0 cost 1\n' })
  for (const line of [
    'create x hash:net family inet',
    'add NIPv4x 10.0.0.1',
    'flush',
    'save -file /etc/x',
    '-f x',
  ])
    denied('ipset', '-exist restore', { input: `${line}\n` })
})

test('a rule neither names a program or a file, nor touches what is not of the agent', () => {
  const chain = 'neutron-linuxbri-INPUT'
  for (const line of [
    `-A ${chain} --modprobe=/tmp/x -j DROP`,
    `-A ${chain} --modprobe /tmp/x -j DROP`,
    `-A ${chain} --modp=/tmp/x -j DROP`,
    `-A ${chain} -M /tmp/x -j DROP`,
    `-M /tmp/x -A ${chain} -j DROP`,
    `-A ${chain} -j DROP -M /tmp/x`,
    `-A ${chain} -m bpf --object-pinned /tmp/x -j DROP`,
    `-A ${chain} -m ../../../tmp/x -j DROP`,
    `-A ${chain} -j ../../../tmp/x`,
    `-A ${chain} -p ../../../tmp/x -j DROP`,
    `-A ${chain} -p x/../../tmp/x -j DROP`,
    `-A ${chain} -j NFQUEUE`,
    `-A ${chain} -j LOG`,
    `-A ${chain} -m set --match-set other src -j DROP`,
    `-A ${chain} -t nat -j DROP`,
    `-A ${chain} "-M" /tmp/x -j DROP`,
    '-A INPUT -j ACCEPT',
    '-I INPUT 1 -j ACCEPT',
    '-I INPUT 1 -j kube-system',
    '-D INPUT -j kube-system',
    '-D kube-system -j ACCEPT',
    '-D -x -j neutron-linuxbri-INPUT',
    '-I kube-system 1 -j neutron-linuxbri-INPUT',
    '-D INPUT 1',
    '-F INPUT',
    '-F',
    '-X',
    '-P INPUT ACCEPT',
    '-Z',
    '-X kube-system',
    ':INPUT ACCEPT [0:0]',
    ':kube-system - [0:0]',
    '*nat',
    '*mangle',
    '# comment',
    '',
  ]) {
    for (const tool of ['iptables-restore', 'ip6tables-restore'])
      denied(tool, '--noflush --wait 10', { input: restore(line) })
  }
  for (const line of [
    '-A neutronMAC-tap1 --among-src-file /etc/shadow -j DROP',
    '-A neutronMAC-tap1 --modprobe=/tmp/x -j DROP',
    '-A neutronMAC-tap1 --atomic-file /etc/x -j DROP',
    '-A neutronMAC-tap1 -j dnat --to-destination fa:16:3e:00:00:01',
    '-F PREROUTING',
    ':PREROUTING DROP',
  ])
    denied('ebtables-restore', '--noflush', { input: `*nat\n${line}\nCOMMIT\n` })
})

test('of a guest, nova may read the end of its console log and nothing else', () => {
  const tail = (...args: string[]) => decide('nova', caller, { command: 'console-tail', args })
  const log = `/var/lib/nova/instances/${networkId}/console.log`
  assert.deepEqual(tail(log, '102400'), { console: log, length: 102400 })
  assert.deepEqual(tail(`${log}.0`, '1'), { console: `${log}.0`, length: 1 })
  for (const other of [
    '/etc/shadow',
    `/var/lib/nova/instances/${networkId}/disk`,
    `/var/lib/nova/instances/${networkId}/../x/console.log`,
    '/var/lib/nova/instances/console.log',
    `${log}.1`,
    `${log}/x`,
    log.slice(1),
  ])
    assert.ok('denied' in tail(other, '1'), other)
  for (const length of ['-1', '99999999', 'x', '']) assert.ok('denied' in tail(log, length), length)
  assert.ok('denied' in decide('neutron', caller, { command: 'console-tail', args: [log, '1'] }))
})

test('each project has its own list', () => {
  assert.ok('denied' in decide('nova', caller, { command: 'iptables-save', args: [] }))
  assert.ok('denied' in decide('nova', caller, { command: 'ip', args: ['netns', 'add', netns] }))
})
