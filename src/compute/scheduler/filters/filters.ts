/** Every filter that `[filter_scheduler] enabled_filters` may name. */
import type { Filter } from '../host-state.ts'
import { aggregateInstanceExtraSpecsFilter } from './aggregate-extra-specs.ts'
import { availabilityZoneFilter } from './availability-zone.ts'
import { computeFilter } from './compute.ts'
import { computeCapabilitiesFilter } from './compute-capabilities.ts'
import { imagePropertiesFilter } from './image-properties.ts'
import { ioOpsFilter, numInstancesFilter } from './limits.ts'
import { differentHostFilter, sameHostFilter } from './same-host.ts'
import { serverGroupAffinityFilter, serverGroupAntiAffinityFilter } from './server-group.ts'

const all: readonly Filter[] = [
  { name: 'AllHostsFilter', refuses: () => undefined },
  computeFilter,
  availabilityZoneFilter,
  computeCapabilitiesFilter,
  imagePropertiesFilter,
  serverGroupAntiAffinityFilter,
  serverGroupAffinityFilter,
  sameHostFilter,
  differentHostFilter,
  aggregateInstanceExtraSpecsFilter,
  numInstancesFilter(50),
  ioOpsFilter(8),
  // Devices of the PCI bus are not tracked: a request for one is refused by the API.
  { name: 'PciPassthroughFilter', refuses: () => undefined },
]

export const availableFilters: ReadonlyMap<string, Filter> = new Map(
  all.map((filter) => [filter.name, filter]),
)

export const defaultFilters: readonly string[] = [
  'ComputeFilter',
  'AvailabilityZoneFilter',
  'ComputeCapabilitiesFilter',
  'ImagePropertiesFilter',
  'ServerGroupAntiAffinityFilter',
  'ServerGroupAffinityFilter',
  'SameHostFilter',
  'DifferentHostFilter',
]
