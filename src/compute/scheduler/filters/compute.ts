import type { Filter } from '../host-state.ts'

/** Hosts whose compute service is down or disabled. */
export const computeFilter: Filter = {
  name: 'ComputeFilter',
  refuses(host) {
    if (host.disabled)
      return `the service is disabled${host.disabledReason ? ` (${host.disabledReason})` : ''}`
    return host.up ? undefined : 'the service is down'
  },
}
