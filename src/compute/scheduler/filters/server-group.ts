import type { Filter, SchedulingContext } from '../host-state.ts'

/** All servers of the group on one host. */
export const serverGroupAffinityFilter: Filter = {
  name: 'ServerGroupAffinityFilter',
  refuses: ({ host }, context) =>
    context.group?.policy === 'affinity' ? groupRefuses(host, context) : undefined,
}

/** No two servers of the group on one host, or not more than its rule `max_server_per_host`. */
export const serverGroupAntiAffinityFilter: Filter = {
  name: 'ServerGroupAntiAffinityFilter',
  refuses: ({ host }, context) =>
    context.group?.policy === 'anti-affinity' ? groupRefuses(host, context) : undefined,
}

/** Why the policy of the server's group does not allow it on a host; undefined where it does. Soft policies allow all. */
export function groupRefuses(host: string, { group, hostOf, spec }: SchedulingContext): string | undefined {
  if (group === null) return undefined
  const others = group.members.filter((uuid) => uuid !== spec.instanceUuid && hostOf.has(uuid))
  const here = others.filter((uuid) => hostOf.get(uuid) === host)
  if (group.policy === 'affinity') {
    return others.length === 0 || here.length > 0 ? undefined : 'its server group is on another host'
  }
  if (group.policy !== 'anti-affinity' || here.length < group.maxPerHost) return undefined
  return 'a server of its group is there'
}
