/** What a server needs of placement, from its flavor and its image. */
import type { RequestSpec } from '../store/request-specs.ts'

/** Resource class → amount, of the unnumbered request group. */
export function resourcesOf(spec: Pick<RequestSpec, 'flavor'>): Record<string, number> {
  const { flavor } = spec
  const resources: Record<string, number> = {
    VCPU: flavor.vcpus,
    MEMORY_MB: flavor.memory_mb,
    DISK_GB: flavor.root_gb + flavor.ephemeral_gb + Math.ceil(flavor.swap / 1024),
  }
  for (const [key, value] of Object.entries(flavor.extra_specs)) {
    const found = /^resources:([A-Z0-9_]+)$/.exec(key)
    if (found !== null) resources[found[1]!] = Number(value)
  }
  return Object.fromEntries(Object.entries(resources).filter(([, amount]) => amount > 0))
}

/** The query of `GET /allocation_candidates`; `inTree` limits it to one host. */
export function candidatesQuery(
  spec: RequestSpec,
  resources: Readonly<Record<string, number>>,
  options: { limit: number; inTree?: string | undefined },
): URLSearchParams {
  const query = new URLSearchParams()
  query.set('resources', writeResources(resources))
  query.set('limit', String(options.limit))
  if (options.inTree !== undefined) query.set('in_tree', options.inTree)
  const traits = { ...spec.flavor.extra_specs, ...spec.image?.properties }
  const required: string[] = []
  const groups = new Map<string, Record<string, number>>()
  for (const [key, value] of Object.entries(traits)) {
    const trait = /^trait([A-Za-z0-9_-]*):([A-Z0-9_]+)$/.exec(key)
    if (trait !== null && trait[1] === '') required.push(value === 'forbidden' ? `!${trait[2]}` : trait[2]!)
    else if (trait !== null)
      query.append(`required${trait[1]}`, value === 'forbidden' ? `!${trait[2]}` : trait[2]!)
    const numbered = /^resources([A-Za-z0-9_-]+):([A-Z0-9_]+)$/.exec(key)
    if (numbered !== null) {
      groups.set(numbered[1]!, { ...groups.get(numbered[1]!), [numbered[2]!]: Number(value) })
    }
  }
  if (required.length > 0) query.set('required', required.join(','))
  for (const [suffix, amounts] of groups) query.set(`resources${suffix}`, writeResources(amounts))
  const policy = spec.flavor.extra_specs['group_policy']
  if (policy !== undefined) query.set('group_policy', policy)
  return query
}

const writeResources = (resources: Readonly<Record<string, number>>): string =>
  Object.entries(resources)
    .map(([name, amount]) => `${name}:${amount}`)
    .join(',')
