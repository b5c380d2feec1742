/** How a guest's vCPUs are spread over sockets, cores and threads. */
import { Fault } from '../../../base/errors.ts'
import type { GuestSpec } from '../driver.ts'

export interface CpuTopology {
  sockets: number
  cores: number
  threads: number
}

/** From `hw:cpu_*` of the flavor, then `hw_cpu_*` of the image; what neither says falls to the sockets. */
export function cpuTopology(spec: GuestSpec): CpuTopology {
  const wanted = (part: string): number | undefined => {
    const text = spec.extraSpecs[`hw:cpu_${part}`] ?? spec.image?.properties[`hw_cpu_${part}`]
    return text === undefined ? undefined : Number(text)
  }
  const threads = wanted('threads') ?? 1
  const sockets = wanted('sockets')
  const cores = wanted('cores') ?? (sockets === undefined ? 1 : spec.vcpus / sockets / threads)
  const topology = { sockets: sockets ?? spec.vcpus / cores / threads, cores, threads }
  const whole = Object.values(topology).every((count) => Number.isInteger(count) && count > 0)
  if (!whole || topology.sockets * topology.cores * topology.threads !== spec.vcpus) {
    throw new Fault(
      'invalid',
      `${spec.vcpus} vCPUs cannot be ${topology.sockets} sockets with ${cores} cores of ${threads} threads each.`,
    )
  }
  return topology
}
