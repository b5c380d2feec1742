/** Answers of the APIs, as far as these tests look into them. */

export interface ServersAnswer {
  servers: readonly {
    id: string
    status: string
    'OS-EXT-STS:task_state': string | null
    'OS-EXT-SRV-ATTR:host': string | null
    fault?: { message: string }
  }[]
}

export interface PortsAnswer {
  ports: readonly {
    id: string
    device_id: string
    device_owner: string
    status: string
    'binding:host_id': string
  }[]
}

export interface ProvidersAnswer {
  resource_providers: readonly { uuid: string }[]
}

export interface AllocationsAnswer {
  /** By the consumer's uuid. */
  allocations: Readonly<Record<string, unknown>>
}

export interface ServicesAnswer {
  services: readonly { binary: string; host: string; state: 'up' | 'down'; updated_at: string | null }[]
}

export interface AgentsAnswer {
  agents: readonly { binary: string; host: string; alive: boolean; heartbeat_timestamp: string | null }[]
}
