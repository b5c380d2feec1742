/** The ports of a server: made or taken for it, and given back. */

import type { NetworkClient, NewPort, Port } from '#network/client.ts'
import { Fault } from '../../base/errors.ts'
import type { RequestedNetwork, RequestSpec } from '../store/request-specs.ts'

export interface PortOwner {
  uuid: string
  host: string
  availabilityZone: string
}

/** Makes or binds every port the server asked for; with `again`, keeps those that an earlier try made. */
export async function attachPorts(
  network: NetworkClient,
  spec: RequestSpec,
  owner: PortOwner,
  again: boolean,
): Promise<Port[]> {
  const requested = await requestedNetworks(network, spec)
  const held = again ? await network.listPortsByDevice([owner.uuid]) : []
  const binding = {
    deviceId: owner.uuid,
    deviceOwner: `compute:${owner.availabilityZone}`,
    host: owner.host,
  }
  const ports: (Port | undefined)[] = []
  const missing: { index: number; port: NewPort }[] = []
  for (const [index, request] of requested.entries()) {
    if (request.portId !== null) {
      ports[index] = await takePort(network, request.portId, binding)
      continue
    }
    const found = held.findIndex((port) => fits(port, request))
    if (found !== -1) {
      const [port] = held.splice(found, 1)
      ports[index] =
        port!.host === owner.host ? port : await network.updatePort(port!.id, { host: owner.host })
    } else missing.push({ index, port: newPort(request, spec, binding) })
  }
  const made = await network.createPorts(missing.map(({ port }) => port))
  for (const [at, { index }] of missing.entries()) ports[index] = made[at]
  const all = ports.filter((port) => port !== undefined)
  const unbound = all.find((port) => port.vifType === 'binding_failed')
  if (unbound !== undefined) {
    const message = `Binding failed for port ${unbound.id} on host ${owner.host}. Is its L2 agent alive, and does it have the network?`
    throw new Fault('unavailable', message, { port: unbound.id, host: owner.host })
  }
  return all
}

/** Deletes the ports that were made for the server, unbinds those that the user brought. */
export async function detachPorts(
  network: NetworkClient,
  uuid: string,
  isUsersOwn: (portId: string) => boolean,
): Promise<void> {
  const ports = await network.listPortsByDevice([uuid])
  await Promise.all(
    ports.map((port) => (isUsersOwn(port.id) ? network.unbindPort(port.id) : network.deletePort(port.id))),
  )
}

/** True for the ports that the request named. */
export function ownPortsOf(spec: RequestSpec | undefined): (portId: string) => boolean {
  const networks = spec?.networks
  const ids = new Set(Array.isArray(networks) ? networks.map((one) => one.portId) : [])
  return (portId) => ids.has(portId)
}

/** The request with `auto` and `none` spelled out. */
async function requestedNetworks(network: NetworkClient, spec: RequestSpec): Promise<RequestedNetwork[]> {
  if (spec.networks === 'none') return []
  if (spec.networks !== 'auto') return spec.networks
  const available = await network.listAvailableNetworks(spec.projectId)
  const internal = available.filter((one) => !one.external || one.shared || one.projectId === spec.projectId)
  if (internal.length > 1) {
    throw new Fault('conflict', 'Multiple possible networks found, use a Network ID to be more specific.')
  }
  return internal.map(({ id }) => ({ networkId: id, portId: null, fixedIp: null, tag: null }))
}

const fits = (port: Port, request: RequestedNetwork): boolean =>
  port.networkId === request.networkId &&
  (request.fixedIp === null || port.fixedIps.some((ip) => ip.ipAddress === request.fixedIp))

function newPort(
  request: RequestedNetwork,
  spec: RequestSpec,
  binding: { deviceId: string; deviceOwner: string; host: string },
): NewPort {
  const port: NewPort = { ...binding, networkId: request.networkId!, projectId: spec.projectId }
  if (spec.securityGroupIds.length > 0) port.securityGroupIds = spec.securityGroupIds
  if (request.fixedIp !== null) port.fixedIps = [{ ipAddress: request.fixedIp }]
  return port
}

async function takePort(
  network: NetworkClient,
  id: string,
  binding: { deviceId: string; deviceOwner: string; host: string },
): Promise<Port> {
  const port = await network.showPort(id)
  if (port.deviceId !== '' && port.deviceId !== binding.deviceId) {
    throw new Fault('conflict', `Port ${id} is still in use.`, { port: id })
  }
  return await network.updatePort(id, binding)
}
