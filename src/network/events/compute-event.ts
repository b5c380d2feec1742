/** One of compute's external events (`POST /os-server-external-events`). */
export interface ComputeEvent {
  name: 'network-vif-plugged' | 'network-vif-unplugged' | 'network-changed' | 'network-vif-deleted'
  server_uuid: string
  /** The port's id. */
  tag: string
  status?: 'completed' | 'failed'
}

/** Delivers events; rejects when compute could not take them, and they are sent again. */
export type SendEvents = (events: readonly ComputeEvent[]) => Promise<void>
