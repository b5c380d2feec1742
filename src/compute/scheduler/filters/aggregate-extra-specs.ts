import type { Filter } from '../host-state.ts'
import { matchesSpec } from '../match-spec.ts'

const scope = 'aggregate_instance_extra_specs:'

/** Extra specs against the metadata of the host's aggregates. */
export const aggregateInstanceExtraSpecsFilter: Filter = {
  name: 'AggregateInstanceExtraSpecsFilter',
  refuses(host, { spec }) {
    for (const [key, wanted] of Object.entries(spec.flavor.extra_specs)) {
      if (key.includes(':') && !key.startsWith(scope)) continue
      const name = key.startsWith(scope) ? key.slice(scope.length) : key
      const held = host.aggregates.flatMap(({ metadata }) => metadata[name]?.split(',') ?? [])
      if (!held.some((value) => matchesSpec(value.trim(), wanted))) {
        return `no aggregate of it has ${name} ${wanted}`
      }
    }
    return undefined
  },
}
