/** What an instance's info cache says of its interfaces. */
import type { NetworkInterface } from '#network/client.ts'
import type { CachedInterface } from '../store/network-info.ts'
import type { RequestedNetwork } from '../store/request-specs.ts'

/** Port and device names are cut to what Linux takes for an interface. */
const nameLength = 11

export function cacheInterfaces(
  interfaces: readonly NetworkInterface[],
  requested: readonly RequestedNetwork[],
): CachedInterface[] {
  return interfaces.map(({ port, network, subnets }) => {
    const own = requested.find((one) => one.portId === port.id)
    const asked = own ?? requested.find((one) => one.portId === null && one.networkId === network.id)
    return {
      id: port.id,
      address: port.macAddress,
      network: {
        id: network.id,
        label: network.name,
        bridge: `brq${network.id.slice(0, nameLength)}`,
        subnets: subnets.map((subnet) => ({
          cidr: subnet.cidr,
          version: subnet.ipVersion,
          gateway: subnet.gatewayIp,
          ips: port.fixedIps
            .filter((ip) => ip.subnetId === subnet.id)
            .map(({ ipAddress }) => ({
              address: ipAddress,
              type: 'fixed',
              version: subnet.ipVersion,
              floating_ips: [],
            })),
        })),
        meta: { tenant_id: network.projectId, mtu: network.mtu },
      },
      type: port.vifType ?? 'unbound',
      vnic_type: port.vnicType,
      devname: `tap${port.id.slice(0, nameLength)}`,
      active: port.status === 'ACTIVE',
      preserve_on_delete: own !== undefined,
      tag: asked?.tag ?? null,
    }
  })
}
