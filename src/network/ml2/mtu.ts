import type { NetworkOptions } from '../config.ts'

/** The smallest of what the deployment and the physical network allow. */
export function physicalMtu(options: NetworkOptions, physicalNetwork: string | null): number {
  const own = options.physicalNetworkMtus
    .map((entry) => entry.split(':'))
    .find(([name]) => name === physicalNetwork)?.[1]
  return own === undefined ? options.globalPhysnetMtu : Math.min(options.globalPhysnetMtu, Number(own))
}

/** What is left of it for the frames inside a tunnel. */
export function tunnelMtu(options: NetworkOptions, overheadBytes: number): number {
  const outer =
    options.pathMtu > 0 ? Math.min(options.pathMtu, options.globalPhysnetMtu) : options.globalPhysnetMtu
  return outer - overheadBytes
}
