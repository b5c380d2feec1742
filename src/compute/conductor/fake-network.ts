/** Network's client for tests: one network, ports in memory, each bound and ACTIVE at once. */

import type { Network, NetworkClient, NewPort, Port, PortUpdate, Subnet } from '#network/client.ts'
import { Fault } from '../../base/errors.ts'
import { newUuid } from '../../base/ids.ts'

export class FakeNetwork {
  readonly networkId = newUuid()
  readonly ports = new Map<string, Port>()
  /** Hosts where no port can be bound. */
  readonly badHosts = new Set<string>()
  /** Called a moment after a port was bound. */
  onBound: (portId: string) => void = () => undefined
  #address = 10

  get #network(): Network {
    return {
      id: this.networkId,
      name: 'private',
      projectId: 'project',
      adminStateUp: true,
      status: 'ACTIVE',
      shared: false,
      external: false,
      mtu: 1450,
      portSecurityEnabled: true,
      subnetIds: ['subnet'],
      dnsDomain: '',
      physicalNetwork: null,
      networkType: 'vxlan',
      segmentationId: 7,
    }
  }

  get #subnet(): Subnet {
    return {
      id: 'subnet',
      name: 'subnet',
      networkId: this.networkId,
      projectId: 'project',
      ipVersion: 4,
      cidr: '10.0.0.0/16',
      gatewayIp: '10.0.0.1',
      enableDhcp: true,
      dnsNameservers: [],
      hostRoutes: [],
      ipv6AddressMode: null,
      ipv6RaMode: null,
    }
  }

  /** A port as a user would make it. */
  addPort(port: Partial<NewPort> = {}): Port {
    return this.#create({ networkId: this.networkId, ...port })
  }

  get client(): NetworkClient {
    const some: Partial<NetworkClient> = {
      listNetworks: async () => [this.#network],
      listAvailableNetworks: async () => [this.#network],
      listSubnets: async () => [this.#subnet],
      listPorts: async ({ ids = [] } = {}) =>
        [...this.ports.values()].filter((port) => ids.includes(port.id)),
      listPortsByDevice: async (devices) =>
        [...this.ports.values()].filter((port) => devices.includes(port.deviceId)),
      showPort: async (id) => this.#get(id),
      createPorts: async (wanted) => wanted.map((port) => this.#create(port)),
      updatePort: async (id, update) =>
        this.#bind({ ...this.#get(id), ...(update as Partial<Port>) }, update),
      unbindPort: async (id) => this.#bind({ ...this.#get(id), host: '', deviceId: '', deviceOwner: '' }, {}),
      deletePort: async (id) => {
        this.ports.delete(id)
      },
      networksOf: async (device) =>
        [...this.ports.values()]
          .filter((port) => port.deviceId === device)
          .map((port) => ({ port, network: this.#network, subnets: [this.#subnet] })),
    }
    return some as NetworkClient
  }

  #get(id: string): Port {
    const port = this.ports.get(id)
    if (port === undefined) throw new Fault('not-found', `Port ${id} could not be found.`)
    return port
  }

  #create(wanted: NewPort): Port {
    const port: Port = {
      id: newUuid(),
      name: '',
      projectId: 'project',
      networkId: wanted.networkId,
      macAddress: 'fa:16:3e:00:00:01',
      status: 'DOWN',
      adminStateUp: true,
      deviceId: wanted.deviceId ?? '',
      deviceOwner: wanted.deviceOwner ?? '',
      fixedIps: [{ subnetId: 'subnet', ipAddress: `10.0.0.${this.#address++}` }],
      securityGroupIds: [],
      portSecurityEnabled: true,
      dnsName: '',
      host: wanted.host ?? '',
      vnicType: 'normal',
      vifType: 'unbound',
      vifDetails: {},
      profile: {},
    }
    return this.#bind(port, wanted)
  }

  #bind(port: Port, update: PortUpdate): Port {
    const bound = { ...port }
    if (port.host === '') bound.vifType = 'unbound'
    else if (this.badHosts.has(port.host!)) bound.vifType = 'binding_failed'
    else if (update.host !== undefined) {
      bound.vifType = 'bridge'
      setImmediate(() => {
        const now = this.ports.get(port.id)
        if (now !== undefined) this.ports.set(port.id, { ...now, status: 'ACTIVE' })
        this.onBound(port.id)
      })
    }
    this.ports.set(port.id, bound)
    return bound
  }
}
