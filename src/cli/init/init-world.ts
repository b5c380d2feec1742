/** A host to be set up by tests: a directory in place of /etc, and NICs as `ip` would tell them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Run } from '../../linux/run.ts'

const link = (ifname: string, addresses: readonly string[]) => ({
  ifname,
  flags: ['UP'],
  mtu: 1500,
  addr_info: addresses.map((local) => ({ family: 'inet', local, prefixlen: 24, scope: 'global' })),
})

/** Two NICs, that with this address and the default route and a free one. */
export const hostWith =
  (address: string): Run =>
  async (_command, args) => {
    const answer = args.includes('address')
      ? [link('lo', ['127.0.0.1']), link('ens32', [address]), link('ens33', [])]
      : args.includes('get')
        ? [{ dst: '10.0.0.11', prefsrc: address }]
        : args.includes('-4')
          ? [{ dst: 'default', gateway: '10.0.0.1', dev: 'ens32' }]
          : []
    return { stdout: JSON.stringify(answer), stderr: '', code: 0 }
  }

export function etc(): { directory: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-init-'))
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) }
}
