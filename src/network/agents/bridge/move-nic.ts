/** A NIC that carries the host's own addresses becomes a port of a bridge without the host losing its way out. */
import { describeError } from '../../../base/errors.ts'
import type { Host } from '../../../linux/host.ts'
import type { Link, LinkChange, Route } from '../../../linux/links.ts'

export interface NicMove {
  nic: Link
  bridge: string
  /** Those of the host, before. */
  routes: readonly Route[]
}

/** Addresses and routes move from one device to another, so that the host stays reachable. */
export function moveAddresses(from: Link, to: string, routes: readonly Route[]): LinkChange[] {
  const changes: LinkChange[] = from.addresses.flatMap((address): LinkChange[] => [
    { do: 'remove-address', name: from.name, address },
    { do: 'add-address', name: to, address },
  ])
  // Gateways can be reached only once the addresses are there.
  for (const { destination, gateway } of routesBy(from.name, routes))
    changes.push({ do: 'add-route', name: to, destination, gateway: gateway! })
  return changes
}

const routesBy = (device: string, routes: readonly Route[]): Route[] =>
  routes.filter((route) => route.device === device && route.gateway !== null)

/**
 * Makes the NIC a port of the bridge. Where one of the host's routes is lost by it, all is put back as it was, and the
 * answer says why.
 */
export async function joinBridge(host: Host, { nic, bridge, routes }: NicMove): Promise<string | undefined> {
  const join: LinkChange[] = [{ do: 'set', name: nic.name, master: bridge, up: true }]
  const failure = await host
    .changeLinks([...join, ...moveAddresses(nic, bridge, routes)])
    .then(() => undefined, describeError)
  const now = await host.routes()
  const lost = routesBy(nic.name, routes)
    .map(({ destination, gateway }) => ({ destination, gateway, device: bridge }))
    .filter((wanted) => !now.some((route) => isSame(route, wanted)))
  if (lost.length === 0 && failure === undefined) return undefined
  await putBack(host, { nic, bridge, routes })
  const what = lost.map(({ destination, gateway }) => `its route to ${destination} by ${gateway}`).join(', ')
  const why = [
    ...(what === '' ? [] : [`this host lost ${what}`]),
    ...(failure === undefined ? [] : [failure]),
  ]
  return `${nic.name} was taken out of the bridge again: ${why.join('; ')}. Give the network a NIC without addresses, or a bridge in bridge_mappings.`
}

const isSame = (a: Route, b: Route): boolean =>
  a.destination === b.destination && a.gateway === b.gateway && a.device === b.device

async function putBack(host: Host, { nic, bridge, routes }: NicMove): Promise<void> {
  const { name, addresses } = nic
  const leave: LinkChange = { do: 'set', name, master: nic.master }
  const back = addresses.map((address): LinkChange => ({ do: 'add-address', name, address }))
  const ways = routesBy(name, routes).map(
    ({ destination, gateway }): LinkChange => ({ do: 'add-route', name, destination, gateway: gateway! }),
  )
  // The address may never have come to the bridge, or the bridge may be gone: what counts is that the NIC has it.
  const off = addresses.map((address): LinkChange => ({ do: 'remove-address', name: bridge, address }))
  await host.changeLinks(off).catch(() => undefined)
  await host.changeLinks([leave, ...back, ...ways])
}
