import type { Filter } from '../host-state.ts'

/** Not more servers on a host than this. */
export const numInstancesFilter = (most: number): Filter => ({
  name: 'NumInstancesFilter',
  refuses: (host) =>
    host.instances < most ? undefined : `it has ${host.instances} servers; ${most} are the most`,
})

/** Not more servers that burden the host's disks at once than this. */
export const ioOpsFilter = (most: number): Filter => ({
  name: 'IoOpsFilter',
  refuses: (host) =>
    host.ioOps < most ? undefined : `it is building ${host.ioOps} servers; ${most} are the most`,
})
