/** The networks a server is asked for with, looked up as the user may see them. */

import type { NetworkClient, Port, UsableNetwork } from '#network/client.ts'
import { Fault } from '../../../../base/errors.ts'
import type { ApiRequest } from '../../../../base/http/route.ts'
import { isUuid } from '../../../../base/ids.ts'
import type { RequestedNetwork } from '../../../store/request-specs.ts'
import type { NetworkDeps } from '../../deps.ts'
import type { NetworkWish } from './body.ts'

export interface NetworkPlan {
  networks: 'none' | RequestedNetwork[]
  /** How many servers the port quota has room for. */
  room: number
}

export async function networksOf(
  request: ApiRequest<never>,
  deps: NetworkDeps,
  wish: NetworkWish[] | 'auto' | 'none' | undefined,
  maxCount: number,
): Promise<NetworkPlan> {
  if (wish === 'none') return { networks: 'none', room: maxCount }
  const client = deps.networkFor(request.context.token)
  if (wish === undefined || wish === 'auto' || wish.length === 0) {
    const networks = await theOnlyNetwork(request, client, wish === 'auto')
    return { networks, room: await roomFor(request, client, networks.length, maxCount) }
  }
  request.authorize('os_compute_api:servers:create:attach_network')
  assertWishes(wish, maxCount)
  const ports = await findPorts(client, wish)
  await assertNetworks(request, client, wish)
  const networks = wish.map(({ uuid, port, fixed_ip: fixedIp, tag }): RequestedNetwork => {
    const networkId = port ? ports.get(port)!.networkId : uuid!
    return { networkId, portId: port || null, fixedIp: fixedIp ?? null, tag: tag ?? null }
  })
  const needed = networks.filter(({ portId }) => portId === null).length
  return { networks, room: await roomFor(request, client, needed, maxCount) }
}

function assertWishes(wishes: readonly NetworkWish[], maxCount: number): void {
  const ports = new Set<string>()
  for (const { uuid, port, fixed_ip: fixedIp } of wishes) {
    if (port) {
      if (ports.has(port)) {
        throw new Fault(
          'invalid',
          `Port ID '${port}' was specified twice: you cannot attach a port multiple times.`,
        )
      }
      ports.add(port)
      if (fixedIp !== undefined) {
        throw new Fault(
          'invalid',
          `Specified Fixed IP '${fixedIp}' cannot be used with port '${port}': the two cannot be specified together.`,
        )
      }
    } else if (uuid === undefined) throw new Fault('invalid', "Bad network format: missing 'uuid'")
    else if (!isUuid(uuid)) {
      throw new Fault('invalid', `Bad networks format: network uuid is not in proper format (${uuid})`)
    }
    if (maxCount > 1 && port) {
      throw new Fault(
        'invalid',
        'Failed to launch instances: Unable to launch multiple instances with a single configured port ID. Please launch your instance one by one with different ports.',
      )
    }
    if (maxCount > 1 && fixedIp !== undefined) {
      throw new Fault(
        'invalid',
        'Failed to launch instances: max_count cannot be greater than 1 if an fixed_ip is specified.',
      )
    }
  }
}

async function findPorts(client: NetworkClient, wishes: readonly NetworkWish[]): Promise<Map<string, Port>> {
  const ids = wishes.flatMap(({ port }) => port || [])
  if (ids.length === 0) return new Map()
  const found = new Map((await client.listPorts({ ids })).map((port) => [port.id, port]))
  for (const id of ids) {
    const port = found.get(id)
    if (port === undefined) throw new Fault('invalid', `Port id ${id} could not be found.`)
    if (port.deviceId !== '') throw new Fault('conflict', `Port ${id} is still in use.`)
    if (port.fixedIps.length === 0) {
      throw new Fault('invalid', `Port ${id} requires a FixedIP in order to be used.`)
    }
  }
  return found
}

async function assertNetworks(
  request: ApiRequest<never>,
  client: NetworkClient,
  wishes: readonly NetworkWish[],
): Promise<void> {
  const asked = wishes.filter(({ port }) => !port)
  if (asked.length === 0) return
  const ids = [...new Set(asked.map(({ uuid }) => uuid!))]
  const found = new Map((await client.listUsableNetworks(ids)).map((network) => [network.id, network]))
  const missing = ids.filter((id) => !found.has(id))
  if (missing.length > 0) throw new Fault('invalid', `Network ${missing.join(', ')} could not be found.`)
  for (const network of found.values()) assertUsable(request, network)
  const addresses = asked.filter(({ fixed_ip: address }) => address !== undefined)
  if (addresses.length === 0) return
  const taken = await client.listPorts({ networkIds: addresses.map(({ uuid }) => uuid!) })
  for (const { uuid, fixed_ip: address } of addresses) {
    const user = taken.find(
      (port) => port.networkId === uuid && port.fixedIps.some(({ ipAddress }) => ipAddress === address),
    )
    if (user === undefined) continue
    const message = `Fixed IP address ${address} is already in use on instance ${user.deviceId}.`
    throw new Fault('invalid', message, { address })
  }
}

function assertUsable(request: ApiRequest<never>, network: UsableNetwork): void {
  if (network.subnetIds.length === 0) {
    throw new Fault('invalid', `Network ${network.id} requires a subnet in order to boot instances on.`)
  }
  if (!network.external || network.shared || request.can('network:attach_external_network')) return
  throw new Fault('forbidden', `It is not allowed to create an interface on external network ${network.id}`)
}

// Nothing was asked for: the one network that the project has, or none at all.
async function theOnlyNetwork(
  request: ApiRequest<never>,
  client: NetworkClient,
  mustHave: boolean,
): Promise<RequestedNetwork[]> {
  const projectId = request.context.projectId ?? ''
  const available = await client.listAvailableNetworks(projectId)
  const usable = available.filter(
    (network) => !network.external || network.shared || request.can('network:attach_external_network'),
  )
  if (usable.length > 1) {
    throw new Fault('conflict', 'Multiple possible networks found, use a Network ID to be more specific.')
  }
  const [network] = usable
  if (network === undefined) {
    if (!mustHave) return []
    throw new Fault('invalid', `Unable to automatically allocate a network for project ${projectId}`)
  }
  assertUsable(request, network)
  return [{ networkId: network.id, portId: null, fixedIp: null, tag: null }]
}

async function roomFor(
  request: ApiRequest<never>,
  client: NetworkClient,
  portsEach: number,
  maxCount: number,
): Promise<number> {
  if (portsEach === 0) return maxCount
  const { port } = await client.showQuota(request.context.projectId ?? '', ['port'])
  if (port === undefined || port.limit < 0) return maxCount
  return Math.floor(Math.max(0, port.limit - port.used) / portsEach)
}

/** The ids of security groups that were named, or given by id. */
export async function securityGroupIdsOf(
  request: ApiRequest<never>,
  deps: NetworkDeps,
  wishes: readonly { name?: string }[] | undefined,
): Promise<string[]> {
  const wanted = [...new Set((wishes ?? []).flatMap(({ name }) => name ?? []))]
  if (wanted.length === 0 || (wanted.length === 1 && wanted[0] === 'default')) return []
  const projectId = request.context.projectId ?? ''
  const groups = await deps.networkFor(request.context.token).listSecurityGroups({ projectId })
  return wanted.map((name) => {
    const byId = groups.find((group) => group.id === name)
    if (byId !== undefined) return byId.id
    const named = groups.filter((group) => group.name === name)
    if (named.length > 1) {
      throw new Fault(
        'conflict',
        `Multiple security groups found matching '${name}'. Use an ID to be more specific.`,
      )
    }
    if (named[0] !== undefined) return named[0].id
    throw new Fault('invalid', `Security group ${name} not found for project ${projectId}.`)
  })
}
