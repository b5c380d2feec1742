/** Networks by the APIs they had before Network had them; up to 2.35. */

import type { Network } from '#network/client.ts'
import { Fault, isFault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { NetworkDeps } from '../deps.ts'

type Request = ApiRequest<never>

const until = '2.35'
const networks = (name: string) => `os_compute_api:os-networks:${name}`
const tenantNetworks = (name: string) => `os_compute_api:os-tenant-networks:${name}`

export const networkRoutes: readonly Route<NetworkDeps>[] = [
  {
    get: '/os-networks',
    until,
    policy: networks('list'),
    handler: async (request: Request, deps) => {
      const found = await deps.networkFor(request.context.token).listNetworks()
      return { networks: found.map((network) => networkView(request, network)) }
    },
  },
  {
    get: '/os-networks/:id',
    until,
    policy: networks('show'),
    handler: async (request: Request, deps) => ({ network: networkView(request, await find(request, deps)) }),
  },
  {
    get: '/os-tenant-networks',
    until,
    policy: tenantNetworks('list'),
    handler: async (request: Request, deps) => {
      const client = deps.networkFor(request.context.token)
      const found = await client.listAvailableNetworks(request.context.projectId ?? '')
      return { networks: found.map(tenantView) }
    },
  },
  {
    get: '/os-tenant-networks/:id',
    until,
    policy: tenantNetworks('show'),
    handler: async (request: Request, deps) => ({ network: tenantView(await find(request, deps)) }),
  },
  {
    get: '/os-floating-ip-pools',
    until,
    policy: 'os_compute_api:os-floating-ip-pools',
    handler: async (request: Request, deps) => {
      const found = await deps.networkFor(request.context.token).listNetworks({ external: true })
      return { floating_ip_pools: found.map(({ name, id }) => ({ name: name || id })) }
    },
  },
]

async function find(request: Request, deps: NetworkDeps): Promise<Network> {
  try {
    return await deps.networkFor(request.context.token).showNetwork(request.params['id']!)
  } catch (error) {
    if (isFault(error, 'not-found')) throw new Fault('not-found', 'Network not found', {}, error)
    throw error
  }
}

const shown = 'cidr netmask gateway broadcast dns1 dns2 cidr_v6 gateway_v6 netmask_v6'.split(' ')
const shownToAdmins = (
  'created_at updated_at deleted_at deleted injected bridge vlan vpn_public_address vpn_public_port ' +
  'vpn_private_address dhcp_start project_id host bridge_interface multi_host priority rxtx_base mtu dhcp_server ' +
  'enable_dhcp share_address'
).split(' ')

// All but id and name were facts of nova's own networks.
function networkView(request: Request, network: Network): Record<string, string | null> {
  const names = request.can('context_is_admin') ? [...shown, ...shownToAdmins] : shown
  return { id: network.id, label: network.name, ...Object.fromEntries(names.map((name) => [name, null])) }
}

const tenantView = ({ id, name }: Network) => ({ id, label: name, cidr: 'None' })
