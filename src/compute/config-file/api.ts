/** What nova-api and nova-api-metadata read of `nova.conf`. */
import { bool, type Config, choice, int, list, optional, port, text } from '../../base/config/option.ts'
import { type ComputeApiConfig, defaultComputeApiConfig } from '../config.ts'

const quota = <const N extends string>(name: N, standard: number, help: string) =>
  ({
    group: 'quota',
    name,
    type: int({ min: -1 }),
    default: standard,
    help: `${help} -1: any number.`,
    deprecated: [`DEFAULT.quota_${name}`],
  }) as const

const workers = (name: string, what: string) =>
  ({
    name,
    type: optional(int({ min: 1 })),
    default: null,
    help: `Processes of ${what}. Default: as many as there are processors.`,
  }) as const

export const quotaOptions = {
  quotaInstances: quota('instances', 10, 'Servers of a project.'),
  quotaCores: quota('cores', 20, 'VCPUs of a project.'),
  quotaRam: quota('ram', 51_200, 'MiB of memory of a project.'),
  quotaMetadataItems: quota('metadata_items', 128, 'Metadata of a server.'),
  quotaInjectedFiles: quota('injected_files', 5, 'Files put into a server.'),
  quotaInjectedFileContentBytes: quota('injected_file_content_bytes', 10_240, 'Bytes of such a file.'),
  quotaInjectedFilePathLength: quota('injected_file_path_length', 255, 'Bytes of the path of such a file.'),
  quotaKeyPairs: quota('key_pairs', 100, 'Key pairs of a user.'),
  quotaServerGroups: quota('server_groups', 10, 'Server groups of a project.'),
  quotaServerGroupMembers: quota('server_group_members', 10, 'Servers of a server group.'),
} as const

export const apiOptions = {
  ...quotaOptions,
  enabledApis: {
    name: 'enabled_apis',
    type: list(choice('osapi_compute', 'metadata')),
    default: ['osapi_compute', 'metadata'],
    help: 'What nova-api serves: the Compute API, the metadata service, or both.',
  },
  osapiComputeListen: {
    name: 'osapi_compute_listen',
    type: text,
    default: '0.0.0.0',
    help: 'Address that the Compute API listens on.',
  },
  osapiComputeListenPort: {
    name: 'osapi_compute_listen_port',
    type: port,
    default: 8774,
    help: 'Port of the Compute API.',
  },
  osapiComputeWorkers: workers('osapi_compute_workers', 'the Compute API'),
  metadataListen: {
    name: 'metadata_listen',
    type: text,
    default: '0.0.0.0',
    help: 'Address that the metadata service listens on.',
  },
  metadataListenPort: {
    name: 'metadata_listen_port',
    type: port,
    default: 8775,
    help: 'Port of the metadata service.',
  },
  metadataWorkers: workers('metadata_workers', 'the metadata service'),
  authStrategy: {
    group: 'api',
    name: 'auth_strategy',
    type: choice('keystone', 'noauth2'),
    default: 'keystone',
    help: 'Who says who a caller is: keystone, or for tests noauth2, where the token is the name.',
    deprecated: ['DEFAULT.auth_strategy'],
  },
  maxLimit: {
    group: 'api',
    name: 'max_limit',
    type: int({ min: 0 }),
    default: 1000,
    help: 'Most items of one answer.',
    deprecated: ['DEFAULT.osapi_max_limit'],
  },
  enableInstancePassword: {
    group: 'api',
    name: 'enable_instance_password',
    type: bool,
    default: true,
    help: 'Show adminPass to who creates a server.',
    deprecated: ['DEFAULT.enable_instance_password'],
  },
  skipsDownCells: {
    group: 'api',
    name: 'list_records_by_skipping_down_cells',
    type: bool,
    default: true,
    help: 'Lists of servers leave out those of cells whose database cannot be reached, where they are not shown as UNKNOWN (2.69). Otherwise such lists fail.',
  },
  defaultAvailabilityZone: {
    name: 'default_availability_zone',
    type: text,
    default: 'nova',
    help: 'Zone of hosts that are in no aggregate with a zone.',
  },
  defaultScheduleZone: {
    name: 'default_schedule_zone',
    type: optional(text),
    default: null,
    help: 'Zone of servers for which the user names none. Default: any.',
  },
  internalServiceZone: {
    name: 'internal_service_availability_zone',
    type: text,
    default: 'internal',
    help: "Zone that nova's own services are shown in.",
  },
  serviceDownSeconds: {
    name: 'service_down_time',
    type: int({ min: 1 }),
    default: 60,
    help: 'A service that was not heard of for so many seconds is down.',
  },
} as const

/** What the Compute API takes. */
export function computeApiConfigOf(config: Config<typeof apiOptions>): ComputeApiConfig {
  const { maxLimit, defaultAvailabilityZone, defaultScheduleZone, internalServiceZone } = config
  return {
    ...defaultComputeApiConfig,
    maxLimit,
    defaultAvailabilityZone,
    defaultScheduleZone,
    internalServiceZone,
    serviceDownSeconds: config.serviceDownSeconds,
    enableInstancePassword: config.enableInstancePassword,
    skipsDownCells: config.skipsDownCells,
    quota: quotaOf(config),
  }
}

/** Limits of a project, but for those that were set for it. */
export function quotaOf(config: Config<typeof quotaOptions>): ComputeApiConfig['quota'] {
  return {
    instances: config.quotaInstances,
    cores: config.quotaCores,
    ram: config.quotaRam,
    metadata_items: config.quotaMetadataItems,
    injected_files: config.quotaInjectedFiles,
    injected_file_content_bytes: config.quotaInjectedFileContentBytes,
    injected_file_path_bytes: config.quotaInjectedFilePathLength,
    key_pairs: config.quotaKeyPairs,
    server_groups: config.quotaServerGroups,
    server_group_members: config.quotaServerGroupMembers,
  }
}
