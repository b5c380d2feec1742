/** OpenStack's programs: what each is, how many processes it has, and the file that starts it. */
import { availableParallelism } from 'node:os'
import type { Config, Options } from '../../base/config/option.ts'
import type { ProgramName, programs } from '../config/programs.ts'
import type { StartDaemon } from './daemon.ts'

interface DaemonOf<O extends Options> {
  description: string
  /** Worker processes under a primary; 0, or not given: the program is one process. */
  workers?(config: Config<O>): number
  load(): Promise<StartDaemon<O>>
}

type Daemons = { readonly [P in ProgramName]: DaemonOf<(typeof programs)[P]['options']> }

export const isDaemon = (name: string): name is ProgramName => Object.hasOwn(daemons, name)

const orAll = (count: number | null): number => count ?? availableParallelism()
// One process does the work of many threads: more are for those who ask for them.
const beyondOne = (count: number | null): number => (count === null || count === 1 ? 0 : count)

export const daemons: Daemons = {
  'nova-api': {
    description: 'the Compute API, and the metadata service where enabled_apis has it',
    workers: (config) => orAll(config.osapiComputeWorkers),
    load: async () => (await import('./nova-api.ts')).startNovaApi,
  },
  'nova-api-metadata': {
    description: 'the metadata service alone',
    workers: (config) => orAll(config.metadataWorkers),
    load: async () => (await import('./nova-api.ts')).startNovaApiMetadata,
  },
  'nova-conductor': {
    description: 'builds and deletes servers, and keeps the databases for the compute hosts',
    workers: (config) => beyondOne(config.conductorWorkers),
    load: async () => (await import('./nova-conductor.ts')).startNovaConductor,
  },
  'nova-scheduler': {
    description: 'chooses hosts for servers',
    workers: (config) => beyondOne(config.schedulerWorkers),
    load: async () => (await import('./nova-scheduler.ts')).startNovaScheduler,
  },
  'nova-compute': {
    description: 'runs the servers of this host',
    load: async () => (await import('./nova-compute.ts')).startNovaCompute,
  },
  'nova-consoleauth': {
    description: 'keeps the tokens of consoles',
    load: async () => (await import('./nova-consoleauth.ts')).startNovaConsoleauth,
  },
  'neutron-server': {
    description: 'the Networking API',
    workers: (config) => (config.apiWorkers === 0 ? 1 : orAll(config.apiWorkers)),
    load: async () => (await import('./neutron-server.ts')).startNeutronServer,
  },
  'neutron-linuxbridge-agent': {
    description: 'wires the servers of this host to their networks',
    load: async () => (await import('./neutron-agents.ts')).startLinuxbridgeAgent,
  },
  'neutron-dhcp-agent': {
    description: 'gives servers their addresses',
    load: async () => (await import('./neutron-agents.ts')).startNeutronDhcpAgent,
  },
  'neutron-metadata-agent': {
    description: 'passes what servers ask at 169.254.169.254 on to the metadata service',
    load: async () => (await import('./neutron-agents.ts')).startNeutronMetadataAgent,
  },
  'placement-api': {
    description: 'the Placement API',
    workers: (config) => orAll(config.workers),
    load: async () => (await import('./placement-api.ts')).startPlacementApi,
  },
  keystone: {
    description: 'the Identity API',
    workers: (config) => orAll(config.publicWorkers),
    load: async () => (await import('./keystone.ts')).startKeystone,
  },
  'glance-api': {
    description: 'the Image API',
    workers: (config) => (config.workers === 0 ? 1 : orAll(config.workers)),
    load: async () => (await import('./glance-api.ts')).startGlanceApi,
  },
}
