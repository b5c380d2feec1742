/** Network devices, their addresses and routes as data: read with `ip -json`, changed with `ip -batch`. */
import { readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { isMissing } from './files.ts'
import type { Run } from './run.ts'

/** What there is to know of a device as the port of a bridge. */
export interface PortDevice {
  name: string
  mtu: number
  /** The bridge it is a port of. */
  master: string | null
  up: boolean
}

export interface Link extends PortDevice {
  /** `bridge`, `veth`, `tun`, `vxlan`, `vlan`; empty for a physical device. */
  kind: string
  macAddress: string
  alias: string
  /** As CIDRs: `172.24.4.1/24`. Without link-local IPv6 addresses, which the kernel makes itself. */
  addresses: readonly string[]
}

export interface Route {
  destination: string
  gateway: string | null
  device: string
}

/** One change of a device; `linkCommand` says it in ip's words, the simulated host does it to its data. */
export type LinkChange =
  | { do: 'add-bridge'; name: string }
  | {
      do: 'add-veth'
      name: string
      peer: string
      /** Namespace the peer is born in. */
      peerNetns?: string
      peerMacAddress?: string
    }
  | {
      do: 'add-vxlan'
      name: string
      vni: number
      localIp: string
      port: number
      /** Multicast group, reached through `device`, for hosts without l2 population. */
      group?: { address: string; device: string }
    }
  | { do: 'add-vlan'; name: string; parent: string; vlanId: number }
  | { do: 'remove'; name: string }
  | {
      do: 'set'
      name: string
      /** null: leave the bridge. */
      master?: string | null
      mtu?: number
      up?: boolean
      alias?: string
    }
  | { do: 'add-address'; name: string; address: string }
  | { do: 'remove-address'; name: string; address: string }
  | { do: 'add-route'; name: string; destination: string; gateway?: string }

/** The lines of `ip -batch` that make one change. */
export function linkCommand(change: LinkChange): string {
  switch (change.do) {
    case 'add-bridge':
      return `link add name ${change.name} type bridge forward_delay 0 stp_state 0 mcast_snooping 0`
    case 'add-veth': {
      const mac = change.peerMacAddress === undefined ? '' : ` address ${change.peerMacAddress}`
      const netns = change.peerNetns === undefined ? '' : ` netns ${change.peerNetns}`
      return `link add name ${change.name} type veth peer name ${change.peer}${mac}${netns}`
    }
    case 'add-vxlan': {
      const group =
        change.group === undefined ? '' : ` group ${change.group.address} dev ${change.group.device}`
      return `link add name ${change.name} type vxlan id ${change.vni} local ${change.localIp} dstport ${change.port}${group}`
    }
    case 'add-vlan':
      return `link add link ${change.parent} name ${change.name} type vlan id ${change.vlanId}`
    case 'remove':
      return `link delete dev ${change.name}`
    case 'set':
      return setCommand(change)
    case 'add-address':
      return `address replace ${change.address} dev ${change.name}`
    case 'remove-address':
      return `address delete ${change.address} dev ${change.name}`
    case 'add-route': {
      const via = change.gateway === undefined ? '' : ` via ${change.gateway}`
      return `route replace ${change.destination}${via} dev ${change.name}`
    }
  }
}

function setCommand(change: Extract<LinkChange, { do: 'set' }>): string {
  const words = ['link set dev', change.name]
  if (change.master === null) words.push('nomaster')
  else if (change.master !== undefined) words.push('master', change.master)
  if (change.alias !== undefined) words.push('alias', change.alias)
  if (change.mtu !== undefined) words.push('mtu', String(change.mtu))
  if (change.up !== undefined) words.push(change.up ? 'up' : 'down')
  return words.join(' ')
}

interface IpLink {
  ifname: string
  flags: string[]
  mtu: number
  address?: string
  master?: string
  ifalias?: string
  linkinfo?: { info_kind?: string }
  addr_info?: { family: string; local: string; prefixlen: number; scope: string }[]
}

/** Every device of this host, or of one of its namespaces. */
export async function readLinks(run: Run, netns?: string): Promise<Map<string, Link>> {
  const where = netns === undefined ? [] : ['-netns', netns]
  const { stdout } = await run('ip', [...where, '-json', '-details', 'address', 'show'])
  const rows = JSON.parse(stdout || '[]') as IpLink[]
  return new Map(rows.filter((row) => row.ifname !== undefined).map((row) => [row.ifname, toLink(row)]))
}

function toLink(row: IpLink): Link {
  const addresses = (row.addr_info ?? [])
    .filter(
      (address) => address.local !== undefined && !(address.family === 'inet6' && address.scope === 'link'),
    )
    .map((address) => `${address.local}/${address.prefixlen}`)
  return {
    name: row.ifname,
    kind: row.linkinfo?.info_kind ?? '',
    macAddress: row.address ?? '',
    mtu: row.mtu,
    master: row.master ?? null,
    alias: row.ifalias ?? '',
    up: row.flags.includes('UP'),
    addresses,
  }
}

/** The kernel's own files about devices: a few of them are read faster than a process is started. */
const sysfs = '/sys/class/net'

/** Those of these devices of the host that are there. */
export async function readPortDevices(names: readonly string[]): Promise<Map<string, PortDevice>> {
  const found = await Promise.all(names.map(readPortDevice))
  return new Map(found.flatMap((device) => (device === undefined ? [] : [[device.name, device]])))
}

async function readPortDevice(name: string): Promise<PortDevice | undefined> {
  try {
    const [flags, mtu, master] = await Promise.all([
      readFile(`${sysfs}/${name}/flags`, 'utf8'),
      readFile(`${sysfs}/${name}/mtu`, 'utf8'),
      readlink(`${sysfs}/${name}/master`).catch(() => null),
    ])
    return { name, mtu: Number(mtu), master: master && basename(master), up: (Number(flags) & 1) === 1 }
  } catch (error) {
    // EINVAL: the device went away while its file was open.
    if (isMissing(error) || ['EINVAL', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined
    throw error
  }
}

/** The unicast routes of the main table, both families. */
export async function readRoutes(run: Run, netns?: string): Promise<Route[]> {
  const where = netns === undefined ? [] : ['-netns', netns]
  const tables = await Promise.all(
    ['-4', '-6'].map((family) => run('ip', [...where, '-json', family, 'route', 'show'])),
  )
  return tables.flatMap(({ stdout }) =>
    (JSON.parse(stdout || '[]') as { dst: string; gateway?: string; dev?: string }[])
      .filter((row) => row.dev !== undefined)
      .map((row) => ({ destination: row.dst, gateway: row.gateway ?? null, device: row.dev! })),
  )
}

/** Makes changes in order, in one process. One that fails does not stop the others; the fault names what failed. */
export async function changeLinks(run: Run, changes: readonly LinkChange[], netns?: string): Promise<void> {
  if (changes.length === 0) return
  const where = netns === undefined ? [] : ['-netns', netns]
  await run('ip', [...where, '-force', '-batch', '-'], { input: changes.map(linkCommand).join('\n') + '\n' })
}
