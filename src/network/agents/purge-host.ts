/** Removes everything that the agents of one cloud made on a host. */
import type { Host } from '../../linux/host.ts'
import { compareSets } from '../../linux/ipset.ts'
import { compareTable } from '../../linux/iptables.ts'
import { type BridgeOptions, defaultBridgeOptions } from './bridge/options.ts'
import { ownership } from './bridge/ownership.ts'
import { planDevices } from './bridge/plan-devices.ts'
import { removeProviderNetwork } from './bridge/provider-network.ts'
import type { Daemons } from './dhcp/daemons.ts'
import { unwireNetwork } from './dhcp/devices.ts'
import { type CloudNames, cloudNames } from './names.ts'

export interface PurgeDeps {
  host: Host
  daemons: Daemons
  cloudId: string
  /** So that a NIC gets its addresses back. */
  options?: BridgeOptions
}

/** Call it after the agents have stopped and the guests are gone. Other clouds' devices, rules and daemons stay. */
export async function purgeHost(deps: PurgeDeps): Promise<void> {
  const { host, daemons } = deps
  const names = cloudNames(deps.cloudId)
  for (const networkId of await daemons.served()) {
    await daemons.withdraw(networkId)
    await unwireNetwork(host, networkId)
  }
  const plan = planDevices({
    networks: [],
    links: await host.links(),
    routes: await host.routes(),
    names,
    options: deps.options ?? defaultBridgeOptions,
    force: true,
  })
  await host.changeLinks(plan.changes)
  await removeProviderNetwork(host, deps.cloudId)
  await removeRules(host, names)
}

async function removeRules(host: Host, names: CloudNames): Promise<void> {
  const nothing = { chains: new Map(), hooks: new Map() }
  for (const family of ['ipv4', 'ipv6', 'bridge'] as const) {
    const tables = await host.rules(family)
    const changes = [...tables].flatMap(
      ([table, chains]) => compareTable(table, chains, nothing, ownership(names)) ?? [],
    )
    await host.changeRules(family, changes)
  }
  const { destroy } = compareSets(await host.sets(), new Map(), (name) => name.startsWith(names.sets))
  await host.changeSets(destroy)
}
