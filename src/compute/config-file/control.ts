/** What nova-conductor and nova-scheduler read of `nova.conf`. */
import { bool, type Config, float, int, list, optional } from '../../base/config/option.ts'
import type { ConductorConfig } from '../conductor/deps.ts'
import type { ResourceConfig } from '../conductor/register-hosts.ts'
import { defaultFilters } from '../scheduler/filters/filters.ts'

const workers = (group: string, deprecated: readonly string[] = []) =>
  ({
    group,
    name: 'workers',
    type: optional(int({ min: 1 })),
    default: null,
    help: 'Processes. Default: as many as there are processors.',
    deprecated,
  }) as const

export const conductorOptions = {
  conductorWorkers: workers('conductor'),
  vifPluggingTimeoutSeconds: {
    name: 'vif_plugging_timeout',
    type: int({ min: 0 }),
    default: 300,
    help: 'Seconds that a guest waits for its ports to be wired; 0: not at all.',
  },
  vifPluggingIsFatal: {
    name: 'vif_plugging_is_fatal',
    type: bool,
    default: true,
    help: 'A server whose ports are not wired in time is in error; otherwise it starts without.',
  },
  maxAttempts: {
    group: 'scheduler',
    name: 'max_attempts',
    type: int({ min: 1 }),
    default: 3,
    help: 'Hosts that a build is tried on.',
    deprecated: ['DEFAULT.scheduler_max_attempts'],
  },
  shutdownTimeoutSeconds: {
    name: 'shutdown_timeout',
    type: int({ min: 0 }),
    default: 60,
    help: 'Seconds that a guest may take to shut down by itself before it is switched off.',
  },
  forceConfigDrive: {
    name: 'force_config_drive',
    type: bool,
    default: false,
    help: 'Give every server a config drive.',
  },
} as const

export const conductorConfigOf = (config: Config<typeof conductorOptions>): ConductorConfig => ({
  vifPluggingTimeoutSeconds: config.vifPluggingTimeoutSeconds,
  vifPluggingIsFatal: config.vifPluggingIsFatal,
  maxAttempts: config.maxAttempts,
  shutdownTimeoutSeconds: config.shutdownTimeoutSeconds,
  forceConfigDrive: config.forceConfigDrive,
})

const ratio = (resource: string) =>
  ({
    name: `${resource}_allocation_ratio`,
    type: optional(float({ min: 0 })),
    default: null,
    help: `How many times what a host has of it is given out. Default: initial_${resource}_allocation_ratio.`,
  }) as const

const initialRatio = (resource: string, standard: number) =>
  ({
    name: `initial_${resource}_allocation_ratio`,
    type: float({ min: 0 }),
    default: standard,
    help: `${resource}_allocation_ratio of hosts for which it is not set.`,
  }) as const

export const resourceOptions = {
  cpuAllocationRatio: ratio('cpu'),
  ramAllocationRatio: ratio('ram'),
  diskAllocationRatio: ratio('disk'),
  initialCpuAllocationRatio: initialRatio('cpu', 4),
  initialRamAllocationRatio: initialRatio('ram', 1),
  initialDiskAllocationRatio: initialRatio('disk', 1),
  reservedMemoryMb: {
    name: 'reserved_host_memory_mb',
    type: int({ min: 0 }),
    default: 512,
    help: 'MiB of memory that a host keeps for itself.',
  },
  reservedDiskMb: {
    name: 'reserved_host_disk_mb',
    type: int({ min: 0 }),
    default: 0,
    help: 'MiB of disk that a host keeps for itself.',
  },
} as const

export const resourceConfigOf = (config: Config<typeof resourceOptions>): ResourceConfig => ({
  // nova takes 0 for "not set", too.
  cpuRatio: config.cpuAllocationRatio || config.initialCpuAllocationRatio,
  ramRatio: config.ramAllocationRatio || config.initialRamAllocationRatio,
  diskRatio: config.diskAllocationRatio || config.initialDiskAllocationRatio,
  reservedMemoryMb: config.reservedMemoryMb,
  reservedDiskMb: config.reservedDiskMb,
})

export const schedulerOptions = {
  schedulerWorkers: workers('scheduler', ['DEFAULT.scheduler_workers']),
  enabledFilters: {
    group: 'filter_scheduler',
    name: 'enabled_filters',
    type: list(),
    default: defaultFilters,
    help: 'Filters that a host must pass to be chosen, in this order.',
    deprecated: ['DEFAULT.scheduler_default_filters'],
  },
  maxPlacementResults: {
    group: 'scheduler',
    name: 'max_placement_results',
    type: int({ min: 1 }),
    default: 1000,
    help: 'Most candidates that placement is asked for.',
  },
  discoverHostsSeconds: {
    group: 'scheduler',
    name: 'discover_hosts_in_cells_interval',
    type: int({ min: -1 }),
    default: -1,
    help: 'Seconds between looks for compute hosts that no cell has been told of; 0 for 60, -1 for never. Hosts that report to a conductor of this program are known at once.',
  },
} as const
