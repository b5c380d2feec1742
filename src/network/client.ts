/** Network's REST API as the other services use it. Nothing else of `network/` may be imported by them. */
import type { HttpCall, Send } from '../base/http/client.ts'
import { queries } from './client/queries.ts'
import { describeReply } from './client/reply.ts'
import type {
  Network,
  NetworkInterface,
  NewPort,
  NewSecurityGroupRule,
  Port,
  PortUpdate,
  QuotaSet,
  SecurityGroup,
  SecurityGroupNames,
  Subnet,
  UsableNetwork,
} from './client/types.ts'
import {
  readNetwork,
  readPort,
  readRule,
  readSecurityGroup,
  readSubnet,
  writePort,
  writePortUpdate,
  writeRule,
} from './client/wire.ts'

export { type DeviceGroups, deviceGroups } from './client/device-groups.ts'
export type * from './client/types.ts'

type Wire = Record<string, unknown>

/** The client of one caller: `token` gives a service's token, or returns the user's own. */
export function networkClient(send: Send, token: () => Promise<string>) {
  async function call(
    method: HttpCall['method'],
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) {
    const request: HttpCall = { method, path, headers: { 'x-auth-token': await token(), ...headers } }
    if (body !== undefined) request.body = body
    const reply = await send(request)
    if (reply.status >= 300) throw describeReply(reply, method, path)
    return (reply.body ?? {}) as Wire
  }

  async function list<T>(
    collection: string,
    read: (wire: Wire) => T,
    filters: Readonly<Record<string, readonly string[] | string | boolean | undefined>>,
  ): Promise<T[]> {
    const found: T[] = []
    for (const query of queries(filters)) {
      const body = await call('GET', `/v2.0/${collection}${query}`)
      for (const wire of body[collection.replaceAll('-', '_')] as Wire[]) found.push(read(wire))
    }
    return found
  }

  const one = async <T>(collection: string, key: string, id: string, read: (wire: Wire) => T): Promise<T> =>
    read((await call('GET', `/v2.0/${collection}/${encodeURIComponent(id)}`))[key] as Wire)

  const client = {
    /** Networks the caller can see, those of these ids only when given. */
    listNetworks: (
      filters: {
        ids?: readonly string[]
        projectId?: string
        name?: string
        shared?: boolean
        external?: boolean
      } = {},
    ): Promise<Network[]> =>
      list('networks', readNetwork, {
        id: filters.ids,
        project_id: filters.projectId,
        name: filters.name,
        shared: filters.shared,
        'router:external': filters.external,
      }),
    /**
     * What a server without a network request may be given: the project's own networks, and the shared ones.
     * One that is external only is left out, as nova does.
     */
    listAvailableNetworks: async (projectId: string): Promise<Network[]> => {
      const [own, shared] = await Promise.all([
        client.listNetworks({ projectId }),
        client.listNetworks({ shared: true }),
      ])
      return [...new Map([...own, ...shared].map((network) => [network.id, network])).values()]
    },
    /** Those of these networks that the caller can see, and whether a server may be on them. */
    listUsableNetworks: (ids: readonly string[]): Promise<UsableNetwork[]> =>
      list('networks', readNetwork, { id: ids, fields: ['id', 'subnets', 'router:external', 'shared'] }),
    showNetwork: (id: string): Promise<Network> => one('networks', 'network', id, readNetwork),
    listSubnets: (
      filters: { ids?: readonly string[]; networkIds?: readonly string[] } = {},
    ): Promise<Subnet[]> => list('subnets', readSubnet, { id: filters.ids, network_id: filters.networkIds }),
    listPorts: (
      filters: {
        ids?: readonly string[]
        projectId?: string
        networkIds?: readonly string[]
        deviceIds?: readonly string[]
        host?: string
        /** Ports with this address, on whatever network. */
        fixedIp?: string
      } = {},
    ): Promise<Port[]> =>
      list('ports', readPort, {
        id: filters.ids,
        project_id: filters.projectId,
        network_id: filters.networkIds,
        device_id: filters.deviceIds,
        'binding:host_id': filters.host,
        fixed_ips: filters.fixedIp === undefined ? undefined : `ip_address=${filters.fixedIp}`,
      }),
    listPortsByDevice: (deviceIds: readonly string[]): Promise<Port[]> => client.listPorts({ deviceIds }),
    showPort: (id: string): Promise<Port> => one('ports', 'port', id, readPort),
    createPort: async (port: NewPort): Promise<Port> =>
      readPort((await call('POST', '/v2.0/ports', { port: writePort(port) }))['port'] as Wire),
    /** All of them or, when one fails, none. */
    createPorts: async (ports: readonly NewPort[]): Promise<Port[]> => {
      if (ports.length === 0) return []
      const body = await call('POST', '/v2.0/ports', { ports: ports.map(writePort) })
      return (body['ports'] as Wire[]).map(readPort)
    },
    /** Binds with `host`, `deviceId` and `deviceOwner`; an empty text in each unbinds. */
    updatePort: async (id: string, update: PortUpdate): Promise<Port> =>
      readPort((await call('PUT', `/v2.0/ports/${id}`, { port: writePortUpdate(update) }))['port'] as Wire),
    /** Takes the port away from its server and its host. */
    unbindPort: (id: string): Promise<Port> =>
      client.updatePort(id, { host: '', deviceId: '', deviceOwner: '', profile: {} }),
    /** A port that is not there is no error. */
    deletePort: async (id: string): Promise<void> => {
      const path = `/v2.0/ports/${id}`
      const reply = await send({ method: 'DELETE', path, headers: { 'x-auth-token': await token() } })
      if (reply.status >= 300 && reply.status !== 404) throw describeReply(reply, 'DELETE', path)
    },
    listSecurityGroups: (
      filters: { ids?: readonly string[]; names?: readonly string[]; projectId?: string } = {},
    ): Promise<SecurityGroup[]> =>
      list('security-groups', readSecurityGroup, {
        id: filters.ids,
        name: filters.names,
        project_id: filters.projectId,
      }),
    showSecurityGroup: (id: string): Promise<SecurityGroup> =>
      one('security-groups', 'security_group', id, readSecurityGroup),
    createSecurityGroup: async (group: SecurityGroupNames): Promise<SecurityGroup> =>
      readSecurityGroup(
        (await call('POST', '/v2.0/security-groups', { security_group: group }))['security_group'] as Wire,
      ),
    updateSecurityGroup: async (id: string, group: SecurityGroupNames): Promise<SecurityGroup> =>
      readSecurityGroup(
        (await call('PUT', `/v2.0/security-groups/${id}`, { security_group: group }))[
          'security_group'
        ] as Wire,
      ),
    deleteSecurityGroup: async (id: string): Promise<void> => {
      await call('DELETE', `/v2.0/security-groups/${encodeURIComponent(id)}`)
    },
    createSecurityGroupRule: async (rule: NewSecurityGroupRule): Promise<SecurityGroup['rules'][number]> =>
      readRule(
        (await call('POST', '/v2.0/security-group-rules', { security_group_rule: writeRule(rule) }))[
          'security_group_rule'
        ] as Wire,
      ),
    deleteSecurityGroupRule: async (id: string): Promise<void> => {
      await call('DELETE', `/v2.0/security-group-rules/${encodeURIComponent(id)}`)
    },
    /** Limits and use of a project: `showQuota(id)).port.used`. Of others than `resources` it may say nothing. */
    showQuota: async (projectId: string, resources: readonly string[] = []): Promise<QuotaSet> => {
      const query = resources.map((name) => `fields=${name}`).join('&')
      const path = `/v2.0/quotas/${projectId}/details${query === '' ? '' : `?${query}`}`
      return (await call('GET', path))['quota'] as QuotaSet
    },
    listExtensions: async (): Promise<string[]> =>
      ((await call('GET', '/v2.0/extensions'))['extensions'] as Wire[]).map(
        (extension) => extension['alias'] as string,
      ),
    listAvailabilityZones: async (): Promise<{ name: string; resource: string; state: string }[]> =>
      (await call('GET', '/v2.0/availability_zones'))['availability_zones'] as {
        name: string
        resource: string
        state: string
      }[],
    /** The interfaces of each server, with their networks and subnets: four calls however many servers. */
    serverNetworks: async (deviceIds: readonly string[]): Promise<Map<string, NetworkInterface[]>> => {
      const ports = await client.listPortsByDevice(deviceIds)
      const networkIds = [...new Set(ports.map((port) => port.networkId))]
      const [networks, subnets] =
        networkIds.length === 0
          ? [[], []]
          : await Promise.all([client.listNetworks({ ids: networkIds }), client.listSubnets({ networkIds })])
      return interfacesByServer(deviceIds, ports, networks, subnets)
    },
    /** The interfaces of one server. */
    networksOf: async (deviceId: string): Promise<NetworkInterface[]> =>
      (await client.serverNetworks([deviceId])).get(deviceId) ?? [],
  }
  return client
}

export type NetworkClient = ReturnType<typeof networkClient>

function interfacesByServer(
  deviceIds: readonly string[],
  ports: readonly Port[],
  networks: readonly Network[],
  subnets: readonly Subnet[],
): Map<string, NetworkInterface[]> {
  const networkById = new Map(networks.map((network) => [network.id, network]))
  const subnetById = new Map(subnets.map((subnet) => [subnet.id, subnet]))
  const found = new Map<string, NetworkInterface[]>(deviceIds.map((id) => [id, []]))
  for (const port of ports) {
    const network = networkById.get(port.networkId)
    if (network === undefined) continue
    const used = port.fixedIps.flatMap((ip) => subnetById.get(ip.subnetId) ?? [])
    found.get(port.deviceId)?.push({ port, network, subnets: [...new Set(used)] })
  }
  return found
}
