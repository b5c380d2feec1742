/** Where programs of one host keep the locks by which they leave each other alone. */
import { optional, text } from '../option.ts'

export const lockOptions = {
  lockPath: {
    group: 'oslo_concurrency',
    name: 'lock_path',
    type: optional(text),
    default: null,
    help: 'Directory of lock files, made if it is not there: nova-compute, neutron-linuxbridge-agent and neutron-dhcp-agent run once on a host, and a second one waits until the first has ended. Without it nothing is locked.',
    deprecated: ['DEFAULT.lock_path'],
  },
} as const
