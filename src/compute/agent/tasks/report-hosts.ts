import type { Task } from '../../../base/task/task.ts'
import type { ConductorClient, HostReport } from '../../rpc/conductor.ts'
import type { AgentHost } from '../handlers.ts'

interface ReportDeps {
  hosts: readonly AgentHost[]
  conductor: ConductorClient
}

/** What of each host was told last; what it had is forgotten when it is to be told again. */
export type Told = Map<string, string>

/** Says that the compute services of these hosts live. A host that was deleted meanwhile is told of anew. */
export function reportHosts({
  hosts,
  conductor,
  told,
  tellInventory,
}: ReportDeps & { told: Told; tellInventory: () => void }): Task {
  const names = hosts.map(({ host }) => host)
  return {
    name: 'report-hosts',
    everySeconds: 10,
    retrySeconds: 2,
    run: async () => {
      const { unknown } = await conductor.reportHosts({ hosts: names })
      const forgotten = unknown.filter((host) => told.delete(host))
      if (forgotten.length > 0) tellInventory()
    },
  }
}

/** Tells what the hosts have, when that changed since it was told last. */
export function reportInventory({ hosts, conductor, told }: ReportDeps & { told: Told }): Task {
  return {
    name: 'report-inventory',
    everySeconds: 60,
    retrySeconds: 2,
    async run() {
      const changed: HostReport[] = []
      for (const { host, hostIp, driver } of hosts) {
        const inventory = await driver.inventory()
        const report = { ...inventory, host, hostIp, traits: [...inventory.traits] }
        if (told.get(host) !== JSON.stringify(report)) changed.push(report)
      }
      if (changed.length === 0) return
      await conductor.hostsStarted({ hosts: changed }, { timeoutSeconds: 300 })
      for (const report of changed) told.set(report.host, JSON.stringify(report))
    },
  }
}
