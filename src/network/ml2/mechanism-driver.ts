/** A way of wiring ports on hosts. */
import type { AgentRow, SegmentRow } from '../store/tables.ts'

export interface BindingRequest {
  portId: string
  networkId: string
  host: string
  vnicType: string
  segments: readonly SegmentRow[]
  /** The agents of that host that are alive and enabled. */
  agents: readonly AgentRow[]
}

export interface Binding {
  vifType: string
  vifDetails: Record<string, unknown>
  segmentId: string
}

export interface MechanismDriver {
  readonly name: string
  /** Undefined when this driver can't wire the port there. */
  bindPort(request: BindingRequest): Binding | undefined
}
