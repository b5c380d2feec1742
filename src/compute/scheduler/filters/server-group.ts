import type { Filter } from '../host-state.ts'

/** All servers of the group on one host. */
export const serverGroupAffinityFilter: Filter = {
  name: 'ServerGroupAffinityFilter',
  refuses(host, { group, hostOf, spec }) {
    if (group?.policy !== 'affinity') return undefined
    const others = group.members.filter((uuid) => uuid !== spec.instanceUuid && hostOf.has(uuid))
    if (others.length === 0 || others.some((uuid) => hostOf.get(uuid) === host.host)) return undefined
    return 'its server group is on another host'
  },
}

/** No two servers of the group on one host, or not more than its rule `max_server_per_host`. */
export const serverGroupAntiAffinityFilter: Filter = {
  name: 'ServerGroupAntiAffinityFilter',
  refuses(host, { group, hostOf, spec }) {
    if (group?.policy !== 'anti-affinity') return undefined
    const here = group.members.filter((uuid) => uuid !== spec.instanceUuid && hostOf.get(uuid) === host.host)
    return here.length < group.maxPerHost ? undefined : 'a server of its group is there'
  },
}
