/** What agents report of their hosts, written where schedulers and operators look for it. */
import type { Inventories, PlacementClient } from '#placement/client.ts'
import { inTransaction } from '../../base/db/transaction.ts'
import type { HostReport } from '../rpc/conductor.ts'
import type { CellDb } from '../store/cell-dbs.ts'
import { saveComputeNode } from '../store/compute-nodes.ts'
import { disableByItself, reportServices } from '../store/services.ts'

export interface ResourceConfig {
  /** `initial_cpu_allocation_ratio` and so on. */
  cpuRatio: number
  ramRatio: number
  diskRatio: number
  /** `reserved_host_memory_mb`, `reserved_host_disk_mb`. */
  reservedMemoryMb: number
  reservedDiskMb: number
}

export const defaultResourceConfig: ResourceConfig = {
  cpuRatio: 4,
  ramRatio: 1,
  diskRatio: 1,
  reservedMemoryMb: 512,
  reservedDiskMb: 0,
}

export async function registerHosts(
  deps: {
    cell: CellDb
    placement: PlacementClient
    resources: ResourceConfig
    mapHost?: (host: string) => Promise<void>
  },
  hosts: readonly HostReport[],
): Promise<void> {
  const { cell, placement, resources, mapHost } = deps
  for (const report of hosts) {
    const uuid = await inTransaction(cell.db, async (transaction) => {
      await reportServices(transaction, 'nova-compute', 'compute', [report.host])
      await disableByItself(transaction, report.host, report.unfit)
      return await saveComputeNode(transaction, {
        host: report.host,
        host_ip: report.hostIp,
        hypervisor_hostname: report.hypervisorHostname,
        hypervisor_type: report.hypervisorType,
        hypervisor_version: report.hypervisorVersion,
        cpu_info: report.cpuInfo,
        vcpus: report.vcpus,
        memory_mb: report.memoryMb,
        local_gb: report.localGb,
        vcpus_used: 0,
        memory_mb_used: resources.reservedMemoryMb,
        local_gb_used: 0,
        running_vms: 0,
        cpu_allocation_ratio: resources.cpuRatio,
        ram_allocation_ratio: resources.ramRatio,
        disk_allocation_ratio: resources.diskRatio,
        disk_available_least: report.localGb,
      })
    })
    await placement.ensureProvider(uuid, report.hypervisorHostname)
    await placement.setInventories(uuid, inventoriesOf(report, resources))
    await placement.setTraits(uuid, report.traits)
    // Last: a host that is mapped can be scheduled to.
    await mapHost?.(report.host)
  }
}

function inventoriesOf(report: HostReport, resources: ResourceConfig): Inventories {
  const inventory = (total: number, allocation_ratio: number, reserved: number) => ({
    total,
    reserved: Math.min(reserved, total),
    min_unit: 1,
    max_unit: total,
    step_size: 1,
    allocation_ratio,
  })
  const all = {
    VCPU: inventory(report.vcpus, resources.cpuRatio, 0),
    MEMORY_MB: inventory(report.memoryMb, resources.ramRatio, resources.reservedMemoryMb),
    DISK_GB: inventory(report.localGb, resources.diskRatio, Math.ceil(resources.reservedDiskMb / 1024)),
  }
  return Object.fromEntries(Object.entries(all).filter(([, { total }]) => total > 0))
}
