/** Breaks a lab on purpose, and mends it. */
import { requireLab } from './lab.ts'
import type { LabNetwork } from './switch.ts'

interface CableOptions {
  directory: string
  network?: LabNetwork
}

const networksOf = ({ network }: CableOptions) => (network === undefined ? undefined : [network])

export async function labCut(host: string, options: CableOptions): Promise<number> {
  await (await requireLab(options.directory)).cut(host, networksOf(options))
  console.log(`${host} is cut off; put it back with: kilonova lab heal ${host}`)
  return 0
}

export async function labHeal(host: string, options: CableOptions): Promise<number> {
  await (await requireLab(options.directory)).heal(host, networksOf(options))
  console.log(`${host} is on the network again.`)
  return 0
}

export async function labKill(
  host: string,
  service: string,
  options: { directory: string },
): Promise<number> {
  await (await requireLab(options.directory)).kill(host, service)
  console.log(`Killed ${service} on ${host}. See what becomes of it: kilonova lab status`)
  return 0
}
