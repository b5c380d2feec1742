/** The host's NICs, and which of them guests' flat network may have. */
import { readFile } from 'node:fs/promises'
import { Fault } from '../../base/errors.ts'
import { readLinks, readRoutes } from '../../linux/links.ts'
import type { Run } from '../../linux/run.ts'

export interface Nic {
  name: string
  link: 'up' | 'no carrier' | 'down'
  /** As CIDRs. */
  addresses: readonly string[]
  hasDefaultRoute: boolean
  /** The bridge or bond that it is a part of. */
  master: string | null
}

/** What has no wire behind it. */
const notNics = new Set(['bridge', 'tun', 'vxlan', 'ifb', 'dummy', 'gre', 'ipip', 'sit', 'wireguard'])

export async function readNics(run: Run): Promise<Nic[]> {
  const [links, routes] = await Promise.all([readLinks(run), readRoutes(run)])
  const outward = new Set(
    routes.filter(({ destination }) => destination === 'default').map(({ device }) => device),
  )
  const nics = [...links.values()].filter(({ name, kind }) => name !== 'lo' && !notNics.has(kind))
  return await Promise.all(
    nics.map(async ({ name, addresses, master }) => ({
      name,
      link: await linkOf(name),
      addresses,
      hasDefaultRoute: outward.has(name),
      master,
    })),
  )
}

async function linkOf(name: string): Promise<Nic['link']> {
  // The file cannot be read while the device is down.
  const carrier = await readFile(`/sys/class/net/${name}/carrier`, 'utf8').catch(() => undefined)
  return carrier === undefined ? 'down' : carrier.trim() === '1' ? 'up' : 'no carrier'
}

export function describeNics(nics: readonly Nic[]): string[] {
  const width = Math.max(0, ...nics.map(({ name }) => name.length))
  return nics.map((nic) => {
    const facts = [
      `link ${nic.link}`,
      nic.addresses.length === 0 ? 'no address' : nic.addresses.join(', '),
      ...(nic.hasDefaultRoute ? ['default route'] : []),
      ...(nic.master === null ? [] : [`part of ${nic.master}`]),
    ]
    return `  ${nic.name.padEnd(width)}  ${facts.join('; ')}`
  })
}

/**
 * The one that nothing else uses. What is asked for is taken, but one that carries the host's own traffic only by who has
 * read what becomes of it (`mayMove`). A Fault says what to choose from.
 */
export function chooseNic(nics: readonly Nic[], asked?: string, mayMove = false): Nic {
  const list = ['', ...describeNics(nics)].join('\n')
  if (asked !== undefined) {
    const nic = nics.find(({ name }) => name === asked)
    if (nic === undefined) throw new Fault('not-found', `This host has no NIC ${asked}; it has:${list}`)
    const warning = warningFor(nic)
    if (warning !== undefined && !mayMove) throw new Fault('conflict', `${warning} To have it so: --yes`)
    return nic
  }
  const free = nics.filter(
    ({ addresses, hasDefaultRoute, master }) => addresses.length === 0 && !hasDefaultRoute && master === null,
  )
  const best = (['up', 'down', 'no carrier'] as const)
    .map((link) => free.filter((nic) => nic.link === link))
    .find(({ length }) => length > 0)
  if (best === undefined) {
    throw new Fault(
      'conflict',
      `No NIC of this host is free for the guests' network; --interface NAME takes one that is not:${list}`,
    )
  }
  const [nic, other] = best
  if (other === undefined) return nic!
  const names = best.map(({ name }) => name).join(', ')
  throw new Fault(
    'conflict',
    `The guests' network may be on any of ${names}; say which by --interface:${list}`,
  )
}

/** What becomes of the host's own traffic; undefined when there is none on this NIC. */
export function warningFor({ name, addresses, hasDefaultRoute, master }: Nic): string | undefined {
  if (master !== null && !master.startsWith('brq'))
    return `${name} is part of ${master}, which would lose it: the agent makes it a port of the network's own bridge.`
  if (addresses.length === 0 && !hasDefaultRoute) return undefined
  const carried = [...addresses, ...(hasDefaultRoute ? ['the default route'] : [])].join(', ')
  return (
    `${name} carries ${carried}. When the first port of the guests' network is wired, the agent moves these to the ` +
    `network's bridge, brq…, and back with the last: the host is out of reach for a moment each time, and guests ` +
    'share its network.'
  )
}
