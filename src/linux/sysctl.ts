/** Kernel settings under /proc/sys. */
import { access, readFile } from 'node:fs/promises'
import { Fault } from '../base/errors.ts'
import type { Run } from './run.ts'

const path = (name: string): string => name.replaceAll('.', '/')
const fileOf = (name: string): string => `/proc/sys/${path(name)}`

/** Sets `net.ipv4.ip_forward` and the like; writes only what differs. A dot within a device name is written `/`. */
export async function setSysctl(run: Run, name: string, value: string): Promise<void> {
  try {
    if ((await readFile(fileOf(name), 'utf8')).trim() !== value)
      await run('sysctl', ['-q', '-w', `${path(name)}=${value}`])
  } catch (error) {
    throw new Fault('unavailable', `The kernel setting ${name} could not be set to ${value}`, { name }, error)
  }
}

/**
 * Makes frames that cross a bridge pass iptables: without it security groups filter nothing. The setting belongs to a
 * kernel module that may have to be loaded first.
 */
export async function filterBridgedFrames(run: Run): Promise<void> {
  const first = 'net.bridge.bridge-nf-call-iptables'
  const present = await access(fileOf(first)).then(
    () => true,
    () => false,
  )
  if (!present) {
    try {
      await run('modprobe', ['br_netfilter'])
    } catch (error) {
      throw new Fault(
        'unavailable',
        'The kernel module br_netfilter is missing: security groups would filter nothing on this host',
        {},
        error,
      )
    }
  }
  await setSysctl(run, first, '1')
  await setSysctl(run, 'net.bridge.bridge-nf-call-ip6tables', '1')
}
