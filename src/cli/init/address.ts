/** The host's own address: the one it reaches the controller from. */
import { lookup } from 'node:dns/promises'
import type { Run } from '../../linux/run.ts'
import type { Nic } from './nics.ts'

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'

/** Where a name leads from here; undefined when nobody knows it, or it leads to this host alone. */
export async function resolveHost(name: string): Promise<string | undefined> {
  const found = await lookup(name).catch(() => undefined)
  return found === undefined || isLoopback(found.address) ? undefined : found.address
}

/** Undefined when this host has none but its loopback's. */
export async function ownAddress(
  run: Run,
  controller: string | undefined,
  nics: readonly Nic[],
): Promise<string | undefined> {
  if (controller !== undefined) {
    const { stdout } = await run('ip', ['-json', 'route', 'get', controller], { okCodes: [2] })
    const [route] = JSON.parse(stdout || '[]') as { prefsrc?: string }[]
    if (route?.prefsrc !== undefined) return route.prefsrc
  }
  const all = [...nics].sort((a, b) => Number(b.hasDefaultRoute) - Number(a.hasDefaultRoute))
  return all.flatMap(({ addresses }) => addresses)[0]?.split('/')[0]
}
