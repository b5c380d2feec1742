import type { AllocationRequest } from '#placement/client.ts'
import type { RequestSpec } from '../store/request-specs.ts'

export interface HostAggregate {
  uuid: string
  name: string
  /** Each value may be a list: `a,b`. */
  metadata: Readonly<Record<string, string>>
}

/** One compute node as schedulers remember it for a moment. */
export interface HostState {
  /** Of the compute node, and of its resource provider. */
  uuid: string
  host: string
  node: string
  cellId: number
  up: boolean
  disabled: boolean
  disabledReason: string | null
  availabilityZone: string
  aggregates: readonly HostAggregate[]
  hypervisorType: string
  hypervisorVersion: number
  cpuInfo: string
  /** Instances there. */
  instances: number
  ioOps: number
  failedBuilds: number
}

/** A host that placement offers for one request. */
export interface Candidate extends HostState {
  request: AllocationRequest
  freeRamMb: number
  freeDiskGb: number
  freeVcpus: number
  traits: readonly string[]
}

/** What filters and weighers know besides the host. */
export interface SchedulingContext {
  spec: RequestSpec
  /** Hosts of the servers named in hints and in the server group. */
  hostOf: ReadonlyMap<string, string>
  group: { policy: string; maxPerHost: number; members: readonly string[] } | null
}

/** Says no with a reason, or nothing. */
export interface Filter {
  name: string
  refuses(host: Candidate, context: SchedulingContext): string | undefined
}

/** More is better; weights are brought to 0…1 among the candidates before the multiplier. */
export interface Weigher {
  name: string
  multiplier: number
  weigh(host: Candidate, context: SchedulingContext): number
}
