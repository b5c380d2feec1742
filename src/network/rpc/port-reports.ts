/** What agents report of ports: their devices, and that DHCP would answer them. */
import { awaitWiring, completeLocked, setPortStatus } from '../ml2/provisioning.ts'
import { lockBindings } from '../store/port-parts.ts'
import type { Work } from '../work.ts'

export type PortReport =
  /** Of a host's L2 agent. */
  { host: string; up: readonly string[]; down: readonly string[] } | { dhcpReady: readonly string[] }

const portsOf = (report: PortReport): readonly string[] =>
  'dhcpReady' in report ? report.dhcpReady : [...report.up, ...report.down]

/** Makes what several reports say so, as if one came after the other. */
export async function settleReports(work: Work, reports: readonly PortReport[]): Promise<void> {
  const isDown = reports.some((report) => 'down' in report && report.down.length > 0)
  // What is up after it was down is not the same as the reverse.
  if (isDown && reports.length > 1) for (const report of reports) await settle(work, [report])
  else await settle(work, reports)
}

async function settle(work: Work, reports: readonly PortReport[]): Promise<void> {
  const bindings = await lockBindings(work.db, [...new Set(reports.flatMap(portsOf))])
  const hostOf = new Map(bindings.map((binding) => [binding.port_id, binding.host]))
  const wired: string[] = []
  const leased: string[] = []
  for (const report of reports) {
    if ('dhcpReady' in report) {
      leased.push(...report.dhcpReady)
      continue
    }
    // A port that moved on is no business of the host that it left.
    const here = (id: string) => hostOf.get(id) === report.host
    for (const id of report.down.filter(here)) {
      await awaitWiring(work, id)
      await setPortStatus(work, id, 'DOWN')
    }
    wired.push(...report.up.filter(here))
  }
  await completeLocked(work, { L2: wired, DHCP: leased })
}
