import type { Task } from '../../../base/task/task.ts'
import type { ConductorClient, HostReport } from '../../rpc/conductor.ts'
import type { AgentHost } from '../handlers.ts'

/** Says that the compute services of these hosts live. */
export function reportHosts({
  hosts,
  conductor,
}: {
  hosts: readonly AgentHost[]
  conductor: ConductorClient
}): Task {
  const names = hosts.map(({ host }) => host)
  return {
    name: 'report-hosts',
    everySeconds: 10,
    run: async () => {
      await conductor.reportHosts({ hosts: names })
    },
  }
}

/** Tells what the hosts have, when that changed since it was told last. */
export function reportInventory({
  hosts,
  conductor,
}: {
  hosts: readonly AgentHost[]
  conductor: ConductorClient
}): Task {
  const told = new Map<string, string>()
  return {
    name: 'report-inventory',
    everySeconds: 60,
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
