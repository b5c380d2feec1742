/** libvirt's domain states and events as OpenStack's power states. */
import type { PowerState } from '../driver.ts'
import { domainEvent, domainState, stoppedDetail } from './rpc/constants.ts'

const states: Readonly<Record<number, PowerState>> = {
  [domainState.noState]: 'nostate',
  [domainState.running]: 'running',
  [domainState.blocked]: 'running',
  [domainState.paused]: 'paused',
  // Still shutting down: the guest runs until libvirt says otherwise.
  [domainState.shutdown]: 'running',
  [domainState.shutoff]: 'shutdown',
  [domainState.crashed]: 'crashed',
  [domainState.pmSuspended]: 'suspended',
}

/** The power state of a domain state number. */
export const powerOfState = (state: number): PowerState => states[state] ?? 'nostate'

/** The power state that a lifecycle event announces, if any. */
export function powerOfEvent(event: number, detail: number): PowerState | undefined {
  switch (event) {
    case domainEvent.started:
    case domainEvent.resumed:
      return 'running'
    case domainEvent.suspended:
      return 'paused'
    case domainEvent.pmSuspended:
      return 'suspended'
    case domainEvent.crashed:
      return 'crashed'
    case domainEvent.stopped:
      if (detail === stoppedDetail.saved) return 'suspended'
      return detail === stoppedDetail.crashed ? 'crashed' : 'shutdown'
    default:
      return undefined
  }
}
