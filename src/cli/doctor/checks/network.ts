/**
 * What networking needs of this host's kernel and tools: each is tried, in a network namespace that is removed again.
 * These are the checks of neutron-sanity-check that concern Linux bridges; routers (keepalived, ip_nonlocal_bind,
 * dibbler) are absent.
 */
import { readFileSync } from 'node:fs'
import { describeError } from '../../../base/errors.ts'
import { addNamespace, removeNamespace } from '../../../linux/netns.ts'
import type { Run } from '../../../linux/run.ts'
import { installLine } from '../../up/distribution.ts'
import { cloudNeeds } from '../../up/packages.ts'
import { type Check, type Finding, failure, ok, warning } from '../finding.ts'

export interface NetworkDeps {
  run: Run
  isRoot: boolean
  /** A setting under /proc/sys by its path; undefined where the kernel has none of that name. */
  setting(path: string): string | undefined
}

interface Trial {
  subject: string
  /** What works, for the report. */
  works: string
  attempt(run: Run): Promise<unknown>
  fix: string
  /** What is lost where this alone fails; without it nothing works. */
  without?: string
}

const install = (name: string): string => installLine(cloudNeeds.filter((need) => need.package === name))

/** Of dnsmasq, as neutron demands it: before, a host's DHCP options could not be told apart by several tags. */
const oldestDnsmasq = [2, 67] as const

export function networkChecks(deps: NetworkDeps): Check[] {
  return [
    { about: 'network tools', run: async () => [await dnsmasqVersion(deps), await haproxyVersion(deps)] },
    {
      about: 'bridge filtering',
      run: async () => [bridgeFilter(deps, 'iptables'), bridgeFilter(deps, 'ip6tables')],
    },
    { about: 'kernel and tools', run: () => tryAll(deps) },
  ]
}

async function tryAll({ run, isRoot }: NetworkDeps): Promise<Finding[]> {
  if (!isRoot) {
    return [
      warning(
        'network namespaces',
        'can be tried by root only, and all that follows in them',
        'Run it as root.',
      ),
    ]
  }
  const name = `kilonova-doctor-${process.pid}`
  const inside: Run = (command, args, options) => run(command, args, { ...options, netns: name })
  try {
    try {
      await addNamespace(run, name)
      await inside('true', [])
    } catch (error) {
      return [
        failure(
          'network namespaces',
          describeError(error),
          'Use a kernel with CONFIG_NET_NS; a container needs CAP_SYS_ADMIN and CAP_NET_ADMIN and a shared /run/netns.',
        ),
      ]
    }
    const findings = [ok('network namespaces', 'can be made and entered')]
    for (const trial of trials) findings.push(await tryOne(trial, inside))
    return findings
  } finally {
    // Where none could be made, that was told already.
    await removeNamespace(run, name).catch(() => undefined)
  }
}

async function tryOne({ subject, works, attempt, fix, without }: Trial, run: Run): Promise<Finding> {
  try {
    await attempt(run)
    return ok(subject, works)
  } catch (error) {
    return without === undefined
      ? failure(subject, describeError(error), fix)
      : warning(subject, `${describeError(error)} Without it ${without}.`, fix)
  }
}

const module = (name: string): string =>
  `modprobe ${name}; the module comes with the distribution's kernel (linux-modules-extra, kernel-modules). In a container, load it on the host.`

const filter = (rule: string): string =>
  `*filter\n:kilonova-doctor - [0:0]\n-A kilonova-doctor ${rule}\nCOMMIT\n`

const iptables = (command: 'iptables' | 'ip6tables'): Trial => ({
  subject: command,
  works: 'filters by device of a bridge and by connection, in zones',
  async attempt(run) {
    const rules = [
      filter('-m physdev --physdev-in tap0 --physdev-is-bridged -m comment --comment doctor -j RETURN'),
      filter('-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN'),
      '*raw\n-A PREROUTING -i brq0 -j CT --zone 1\nCOMMIT\n',
    ]
    for (const input of rules) await run(`${command}-restore`, ['--noflush'], { input })
  },
  fix: `${install('iptables')}; or ${module(command === 'iptables' ? 'iptable_filter xt_physdev xt_CT' : 'ip6table_filter')}`,
})

const trials: readonly Trial[] = [
  {
    subject: 'iproute2',
    works: 'tells in JSON',
    attempt: async (run) => JSON.parse((await run('ip', ['-json', '-details', 'link', 'show'])).stdout),
    fix: `${install('iproute2')} (4.18 or newer)`,
  },
  {
    subject: 'bridges',
    works: 'can be made, with devices in them',
    async attempt(run) {
      await run('ip', ['link', 'add', 'brq0', 'type', 'bridge'])
      await run('ip', ['link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth1'])
      await run('ip', ['link', 'set', 'veth0', 'master', 'brq0'])
    },
    fix: module('bridge veth'),
  },
  {
    subject: 'tap devices',
    works: 'can be made',
    attempt: (run) => run('ip', ['tuntap', 'add', 'dev', 'tap0', 'mode', 'tap']),
    fix: `${module('tun')} It needs the device /dev/net/tun.`,
  },
  {
    subject: 'VXLAN',
    works: 'tunnels can be made, and told where addresses are',
    async attempt(run) {
      await run('ip', ['link', 'add', 'vxlan-1', 'type', 'vxlan', 'id', '1', 'dstport', '4789', 'dev', 'lo'])
      await run('bridge', ['fdb', 'append', '00:00:00:00:00:00', 'dev', 'vxlan-1', 'dst', '192.0.2.1'])
    },
    fix: module('vxlan'),
    without: 'networks of type vxlan do not work on this host',
  },
  {
    subject: 'VLAN',
    works: 'devices can be made',
    attempt: (run) => run('ip', ['link', 'add', 'link', 'lo', 'name', 'lo.1', 'type', 'vlan', 'id', '1']),
    fix: module('8021q'),
    without: 'networks of type vlan do not work on this host',
  },
  iptables('iptables'),
  { ...iptables('ip6tables'), without: 'security groups filter no IPv6' },
  {
    subject: 'ipset',
    works: 'sets can be made, and rules refer to them',
    async attempt(run) {
      await run('ipset', ['create', 'kilonova-doctor', 'hash:net', 'family', 'inet'])
      const input = filter('-m set --match-set kilonova-doctor src -j RETURN')
      await run('iptables-restore', ['--noflush'], { input })
    },
    fix: `${install('ipset')}; or ${module('ip_set_hash_net xt_set')} Or write [securitygroup] enable_ipset = false.`,
    without: 'rules for groups do not work, unless [securitygroup] enable_ipset = false',
  },
  {
    subject: 'ebtables',
    works: 'refuses forged MAC addresses and ARP',
    async attempt(run) {
      const rules = ['-s ! 02:00:00:00:00:01 -j DROP', '-p ARP --arp-ip-src 192.0.2.1 -j ACCEPT']
      const input = `*filter\n:kilonova-doctor ACCEPT\n${rules.map((rule) => `-A kilonova-doctor ${rule}`).join('\n')}\nCOMMIT\n`
      await run('ebtables-restore', ['--noflush'], { input })
    },
    fix: `${install('ebtables')}; or ${module('ebtable_filter ebt_arp')}`,
  },
  {
    subject: 'conntrack',
    works: 'connections that are no longer allowed can be ended',
    // 1: there was none.
    attempt: (run) =>
      run('conntrack', ['-D', '-f', 'ipv4', '-w', '1', '--orig-src', '192.0.2.1'], { okCodes: [1] }),
    fix: `${install('conntrack')}; or ${module('nf_conntrack_netlink')}`,
  },
]

function bridgeFilter({ setting }: NetworkDeps, name: 'iptables' | 'ip6tables'): Finding {
  const full = `net.bridge.bridge-nf-call-${name}`
  const value = setting(full.replaceAll('.', '/'))
  if (value === '1') return ok(full, 'is 1: security groups see what crosses a bridge')
  if (value === undefined) {
    return failure(
      full,
      'is absent: security groups would filter nothing on this host',
      'modprobe br_netfilter, and for the next start: echo br_netfilter > /etc/modules-load.d/kilonova.conf',
    )
  }
  return warning(
    full,
    `is ${value}: until it is 1 security groups filter nothing; the Linux bridge agent sets it when it starts`,
    `sysctl -w ${full}=1`,
  )
}

async function dnsmasqVersion({ run }: NetworkDeps): Promise<Finding> {
  const said = await versionOf(run, 'dnsmasq', ['--version'])
  if (said === undefined)
    return failure('dnsmasq', 'is missing: no DHCP on this host', install('dnsmasq-base'))
  const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(said)?.map(Number) ?? []
  const version = `version ${major}.${minor}`
  const [oldestMajor, oldestMinor] = oldestDnsmasq
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    return failure('dnsmasq', `${version} is older than ${oldestDnsmasq.join('.')}`, install('dnsmasq-base'))
  }
  if (/no-DHCPv6\b/.test(said)) {
    return warning(
      'dnsmasq',
      `${version} was built without DHCPv6: subnets of IPv6 get no addresses`,
      install('dnsmasq-base'),
    )
  }
  return ok('dnsmasq', `${version}, with DHCPv6`)
}

async function haproxyVersion({ run }: NetworkDeps): Promise<Finding> {
  const said = await versionOf(run, 'haproxy', ['-v'])
  if (said === undefined)
    return failure('haproxy', 'is missing: guests reach no metadata', install('haproxy'))
  return ok('haproxy', `version ${/\d+(\.\d+)+/.exec(said)?.[0] ?? 'unknown'}`)
}

/** What a program says of itself; undefined where it cannot be started. */
async function versionOf(run: Run, command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run(command, args)).stdout
  } catch {
    return undefined
  }
}

/** A setting of this host. */
export function kernelSetting(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${path}`, 'utf8').trim()
  } catch {
    return undefined
  }
}
