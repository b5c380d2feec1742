/** What an operator may settle for compute. */

export interface QuotaLimits {
  instances: number
  cores: number
  ram: number
  metadata_items: number
  injected_files: number
  injected_file_content_bytes: number
  injected_file_path_bytes: number
  key_pairs: number
  server_groups: number
  server_group_members: number
}

export interface ComputeApiConfig {
  /** Most items of one answer. */
  maxLimit: number
  /** The zone of hosts that are in no aggregate with a zone. */
  defaultAvailabilityZone: string
  /** The zone a server is asked for in when the user names none; null: any. */
  defaultScheduleZone: string | null
  /** The zone that nova's own services are shown in. */
  internalServiceZone: string
  /** -1: no limit. */
  quota: QuotaLimits
  /** A service that has not been heard of for so long is down. */
  serviceDownSeconds: number
  /** Whether `adminPass` is shown to who creates a server. */
  enableInstancePassword: boolean
  /** Lists leave out the servers of cells that are away; else they fail. */
  skipsDownCells: boolean
  /** Most servers of one request. */
  maxServersPerRequest: number
}

export const defaultComputeApiConfig: ComputeApiConfig = {
  maxLimit: 1000,
  defaultAvailabilityZone: 'nova',
  defaultScheduleZone: null,
  internalServiceZone: 'internal',
  quota: {
    instances: 10,
    cores: 20,
    ram: 51_200,
    metadata_items: 128,
    injected_files: 5,
    injected_file_content_bytes: 10_240,
    injected_file_path_bytes: 255,
    key_pairs: 100,
    server_groups: 10,
    server_group_members: 10,
  },
  serviceDownSeconds: 60,
  enableInstancePassword: true,
  skipsDownCells: true,
  maxServersPerRequest: 1000,
}
