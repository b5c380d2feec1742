import type { Filter } from '../host-state.ts'

export const availabilityZoneFilter: Filter = {
  name: 'AvailabilityZoneFilter',
  refuses(host, { spec }) {
    if (spec.availabilityZone === null || spec.availabilityZone === host.availabilityZone) return undefined
    return `it is in zone ${host.availabilityZone}, not in ${spec.availabilityZone}`
  },
}
