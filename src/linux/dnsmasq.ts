/** The command line of a dnsmasq that serves one network, from files that it reads again on SIGHUP. */

export interface DnsmasqRange {
  /** Options for clients of this range are found by this tag. */
  tag: string
  /** `10.0.0.0` or `2001:db8::`: addresses are given to known hosts only. */
  network: string
  /** Netmask for IPv4, prefix length for IPv6. */
  mask: string
}

export interface DnsmasqOptions {
  /** Holds every file of this daemon. */
  directory: string
  interface: string
  ranges: readonly DnsmasqRange[]
  leaseSeconds: number
  maxLeases: number
  mtu: number
  domain: string
  /** Name servers that questions are passed on to. */
  dnsServers: readonly string[]
  /** Pass questions on to the host's own name servers. */
  localResolv: boolean
  /** Stay root: for directories that nobody else may enter. */
  asRoot: boolean
}

/** The files of a dnsmasq daemon. */
export const dnsmasqFiles = (directory: string) => ({
  pid: `${directory}/pid`,
  hosts: `${directory}/host`,
  addnHosts: `${directory}/addn_hosts`,
  options: `${directory}/opts`,
  leases: `${directory}/leases`,
})

export function dnsmasqArgs(options: DnsmasqOptions): string[] {
  const files = dnsmasqFiles(options.directory)
  const lease = options.leaseSeconds === -1 ? 'infinite' : `${options.leaseSeconds}s`
  return [
    '--conf-file=/dev/null',
    '--no-hosts',
    ...(options.localResolv && options.dnsServers.length === 0 ? [] : ['--no-resolv']),
    `--pid-file=${files.pid}`,
    `--dhcp-hostsfile=${files.hosts}`,
    `--addn-hosts=${files.addnHosts}`,
    `--dhcp-optsfile=${files.options}`,
    `--dhcp-leasefile=${files.leases}`,
    '--dhcp-match=set:ipxe,175',
    '--dhcp-userclass=set:ipxe6,iPXE',
    '--bind-dynamic',
    `--interface=${options.interface}`,
    '--except-interface=lo',
    ...options.ranges.map(
      (range) => `--dhcp-range=set:${range.tag},${range.network},static,${range.mask},${lease}`,
    ),
    ...(options.mtu > 0 ? [`--dhcp-option-force=option:mtu,${options.mtu}`] : []),
    `--dhcp-lease-max=${options.maxLeases}`,
    ...options.dnsServers.map((server) => `--server=${server}`),
    ...(options.domain === '' ? [] : [`--domain=${options.domain}`]),
    ...(options.asRoot ? ['--user=root', '--group=root'] : []),
  ]
}

export interface Lease {
  expires: number
  macAddress: string
  ipAddress: string
  /** The whole line. */
  text: string
}

/** IPv4 leases of a lease file: `<expires> <mac> <ip> <name> <client id>`. */
export function parseLeases(text: string): Lease[] {
  return text.split('\n').flatMap((line) => {
    const [expires, macAddress, ipAddress] = line.split(' ')
    if (macAddress === undefined || ipAddress === undefined || !/^([0-9a-f]{2}:){5}/.test(macAddress))
      return []
    return [{ expires: Number(expires), macAddress, ipAddress, text: line }]
  })
}
