import type { Filter } from '../host-state.ts'

/** The hint `same_host`: where one of these servers is. */
export const sameHostFilter: Filter = {
  name: 'SameHostFilter',
  refuses(host, { spec, hostOf }) {
    const wanted = spec.schedulerHints['same_host'] ?? []
    if (wanted.length === 0 || wanted.some((uuid) => hostOf.get(uuid) === host.host)) return undefined
    return 'none of the servers of the hint same_host is there'
  },
}

/** The hint `different_host`: where none of these servers is. */
export const differentHostFilter: Filter = {
  name: 'DifferentHostFilter',
  refuses(host, { spec, hostOf }) {
    const avoided = spec.schedulerHints['different_host'] ?? []
    return avoided.some((uuid) => hostOf.get(uuid) === host.host)
      ? 'a server of the hint different_host is there'
      : undefined
  },
}
