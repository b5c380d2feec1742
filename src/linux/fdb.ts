/** Forwarding entries of vxlan devices: which tunnel end a MAC address lives behind. */
import type { Run } from './run.ts'

export interface ForwardingEntry {
  macAddress: string
  /** The other end of the tunnel. */
  destination: string
}

/** Where frames go whose receiver is unknown, and broadcasts: one entry for each host of the network. */
export const floodMacAddress = '00:00:00:00:00:00'

/** The entries that were set, not those the device learned. */
export async function readForwarding(run: Run, device: string): Promise<ForwardingEntry[]> {
  const { stdout } = await run('bridge', ['-json', 'fdb', 'show', 'dev', device])
  const rows = JSON.parse(stdout || '[]') as { mac: string; dst?: string; state?: string }[]
  return rows
    .filter((row) => row.dst !== undefined && row.state === 'permanent')
    .map((row) => ({ macAddress: row.mac, destination: row.dst! }))
}

/** Adds and removes entries in one process. */
export async function changeForwarding(
  run: Run,
  device: string,
  changes: { add: readonly ForwardingEntry[]; remove: readonly ForwardingEntry[] },
): Promise<void> {
  const lines = [
    ...changes.remove.map((e) => `fdb delete ${e.macAddress} dev ${device} dst ${e.destination}`),
    ...changes.add.map((e) => `fdb append ${e.macAddress} dev ${device} dst ${e.destination}`),
  ]
  if (lines.length > 0) await run('bridge', ['-force', '-batch', '-'], { input: lines.join('\n') + '\n' })
}
