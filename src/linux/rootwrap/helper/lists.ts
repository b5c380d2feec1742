/** What each project's programs may have done as root: commands, the patterns of their arguments and of their input's lines. */
import type { Project } from '../protocol.ts'
import { pattern } from './patterns.ts'
import { frameRules, packetRules } from './rules.ts'

export interface Form {
  args: RegExp
  /** Each line of the input matches one of these; without them there is no input. */
  lines?: readonly RegExp[]
  /** Runs in the namespace of a network. */
  inNetns?: true
}

export interface Tool {
  forms: readonly Form[]
  /**
   * A daemon that reads files of its caller's: it runs in a network's namespace as its caller, who gains no file by it,
   * with these capabilities and no way to more.
   */
  asCaller?: { capabilities: readonly string[] }
  /** No program: the helper reads it itself, see `console-tail.ts`. */
  isConsoleTail?: true
}

const forms = (...texts: string[]): Form[] => texts.map((text) => ({ args: pattern(text) }))
const withLines = (args: string, lines: readonly RegExp[]): Form => ({ args: pattern(args), lines })

const linkChanges = [
  'link add name BRIDGE type bridge forward_delay 0 stp_state 0 mcast_snooping 0',
  'link add name TAP type veth peer name INSIDE( address MAC)?( netns NETNS)?',
  'link add name VXLAN type vxlan id NUMBER local ADDRESS dstport NUMBER( group ADDRESS dev DEVICE)?',
  'link add link DEVICE name VLAN type vlan id NUMBER',
  'link delete dev (BRIDGE|TAP|INSIDE|VXLAN|VLAN)',
  'link set dev DEVICE( nomaster| master DEVICE)?( alias ALIAS)?( mtu NUMBER)?( up| down)?',
  'address (replace|delete) ADDRESS dev DEVICE',
  'route replace (ADDRESS|default)( via ADDRESS)? dev DEVICE',
].map(pattern)

const setChanges = [
  'create SET hash:net family inet6? hashsize 1024 maxelem 65536',
  '(add|del) SET ADDRESS',
  'destroy SET',
].map(pattern)

const entryChanges = [pattern('fdb (append|delete) MAC dev DEVICE dst ADDRESS')]

/** A directory of the DHCP agent's, and who serves which network there. */
const ranges = '--dhcp-range=set:[a-z0-9-]+,ADDRESS,static,(ADDRESS|NUMBER),(infinite|NUMBERs)'
const dnsmasq = [
  '--conf-file=/dev/null --no-hosts( --no-resolv)?',
  '--pid-file=DIRECTORY/dhcp/UUID/pid',
  '--dhcp-hostsfile=DIRECTORY/dhcp/UUID/host',
  '--addn-hosts=DIRECTORY/dhcp/UUID/addn_hosts',
  '--dhcp-optsfile=DIRECTORY/dhcp/UUID/opts',
  '--dhcp-leasefile=DIRECTORY/dhcp/UUID/leases',
  '--dhcp-match=set:ipxe,175 --dhcp-userclass=set:ipxe6,iPXE',
  '--bind-dynamic --interface=DEVICE --except-interface=lo',
  `(${ranges} )*(--dhcp-option-force=option:mtu,NUMBER )?--dhcp-lease-max=NUMBER( --server=[A-Za-z0-9_.:/#@-]+)*( --domain=[A-Za-z0-9_.-]+)?`,
].join(' ')

const neutron: Readonly<Record<string, Tool>> = {
  ip: {
    forms: [
      ...forms(
        '(-netns NETNS )?-json -details address show',
        '(-netns NETNS )?-json -(4|6) route show',
        '-json netns list',
        'netns (add|delete) NETNS',
        '-netns NETNS link set lo up',
      ),
      withLines('(-netns NETNS )?-force -batch -', linkChanges),
    ],
  },
  bridge: { forms: [...forms('-json fdb show dev DEVICE'), withLines('-force -batch -', entryChanges)] },
  ipset: { forms: [...forms('save'), withLines('-exist restore', setChanges)] },
  'iptables-save': { forms: forms('') },
  'ip6tables-save': { forms: forms('') },
  'ebtables-save': { forms: forms('') },
  'iptables-restore': { forms: [withLines('--noflush --wait 10', packetRules)] },
  'ip6tables-restore': { forms: [withLines('--noflush --wait 10', packetRules)] },
  'ebtables-restore': { forms: [withLines('--noflush', frameRules)] },
  conntrack: { forms: forms('-D -f ipv(4|6) -w NUMBER --orig-(src|dst) ADDRESS') },
  modprobe: { forms: forms('br_netfilter') },
  sysctl: {
    forms: [
      ...forms('-q -w net/bridge/bridge-nf-call-ip6?tables=1', '-q -w net/ipv6/conf/BRIDGE/disable_ipv6=1'),
      { args: pattern('-q -w net/ipv4/ip_unprivileged_port_start=80'), inNetns: true },
    ],
  },
  dnsmasq: {
    forms: forms(dnsmasq),
    // DHCP answers clients that have no address yet; DNS and DHCP have ports below 1024.
    asCaller: { capabilities: ['net_bind_service', 'net_admin', 'net_raw'] },
  },
  haproxy: {
    forms: forms('-D -f DIRECTORY/dhcp/UUID/haproxy\\.conf'),
    // Its file may have it run programs, so it gets none: not even for port 80, which the namespace opens to everybody.
    asCaller: { capabilities: [] },
  },
}

const nova: Readonly<Record<string, Tool>> = {
  ip: {
    forms: forms(
      'link add BRIDGE type bridge forward_delay 0 stp_state 0',
      'link set BRIDGE addrgenmode none alias ALIAS up',
    ),
  },
  'console-tail': { forms: forms('DIRECTORY/UUID/console\\.log(\\.0)? \\d{1,7}'), isConsoleTail: true },
}

export const lists: Readonly<Record<Project, Readonly<Record<string, Tool>>>> = { neutron, nova }
