/** Connections that the kernel tracks: what was once allowed goes on until its entry is gone. */
import type { Run } from './run.ts'

export interface TrackedAddress {
  address: string
  zone: number
}

/** Forgets every connection from and to these addresses: the next packet is judged by the rules as they are. */
export async function forgetConnections(run: Run, addresses: readonly TrackedAddress[]): Promise<void> {
  for (const { address, zone } of addresses) {
    const family = address.includes(':') ? 'ipv6' : 'ipv4'
    // 1: there was none.
    const forget = (direction: string) =>
      run('conntrack', ['-D', '-f', family, '-w', String(zone), direction, address], { okCodes: [1] })
    await Promise.all(['--orig-src', '--orig-dst'].map(forget))
  }
}
