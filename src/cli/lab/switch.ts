/**
 * The lab's switch: a namespace with two bridges, for the management network and for the provider network, each with a
 * cable to every host. A cut cable is taken out of the bridge: the host's interface stays up and hears nothing, as
 * behind a broken switch or a firewall that drops.
 */
import type { Run } from '../../linux/run.ts'
import type { Holder } from './namespaces.ts'
import type { HostPlan, LabPlan } from './plan.ts'

export type LabNetwork = 'management' | 'provider'

export const labNetworks: readonly LabNetwork[] = ['management', 'provider']

/** The switch's end of a host's cable. Device names have 15 characters at most, host names may have more. */
const portOf = (plan: LabPlan, host: HostPlan, network: LabNetwork): string =>
  `${network.slice(0, 4)}${plan.hosts.indexOf(host)}`

const ipIn = (run: Run, holder: Holder, args: readonly string[], input?: string) =>
  run(
    'nsenter',
    [`--target=${holder.pid}`, '--net', '--', 'ip', ...args],
    input === undefined ? {} : { input },
  )

/** Makes both bridges. The provider network's router answers on one, so that guests have a gateway. */
export async function makeBridges(run: Run, holder: Holder, plan: LabPlan): Promise<void> {
  const lines = labNetworks.flatMap((network) => [
    `link add name ${network} type bridge forward_delay 0 stp_state 0 mcast_snooping 0`,
    `link set dev ${network} up`,
  ])
  lines.push('link set dev lo up', `address add ${plan.providerGateway} dev provider`)
  await ipIn(run, holder, ['-batch', '-'], `${lines.join('\n')}\n`)
}

/** Lays a host's cables: its management interface gets the host's address, its provider interface none. */
export async function connectHost(
  run: Run,
  holder: Holder,
  plan: LabPlan,
  host: HostPlan,
  hostHolder: Holder,
): Promise<void> {
  const interfaces = { management: plan.managementInterface, provider: plan.providerInterface }
  const lines = labNetworks.flatMap((network) => {
    const port = portOf(plan, host, network)
    return [
      `link add name ${port} type veth peer name ${interfaces[network]} netns ${hostHolder.pid}`,
      `link set dev ${port} alias ${host.name} master ${network} up`,
    ]
  })
  await ipIn(run, holder, ['-batch', '-'], `${lines.join('\n')}\n`)
  const inside = [
    `address add ${host.address}/${plan.managementPrefix} dev ${interfaces.management}`,
    `link set dev ${interfaces.management} up`,
    `link set dev ${interfaces.provider} up`,
  ]
  await ipIn(run, hostHolder, ['-batch', '-'], `${inside.join('\n')}\n`)
}

/** Takes a host's cables out of the switch. */
export async function cutHost(
  run: Run,
  holder: Holder,
  plan: LabPlan,
  host: HostPlan,
  networks: readonly LabNetwork[] = labNetworks,
): Promise<void> {
  for (const network of networks) {
    await ipIn(run, holder, ['link', 'set', 'dev', portOf(plan, host, network), 'nomaster'])
  }
}

/** Puts a host's cables back in. */
export async function healHost(
  run: Run,
  holder: Holder,
  plan: LabPlan,
  host: HostPlan,
  networks: readonly LabNetwork[] = labNetworks,
): Promise<void> {
  for (const network of networks) {
    await ipIn(run, holder, ['link', 'set', 'dev', portOf(plan, host, network), 'master', network])
  }
}

/** The networks that a host is cut off from. */
export async function cutNetworks(
  run: Run,
  holder: Holder,
  plan: LabPlan,
  host: HostPlan,
): Promise<LabNetwork[]> {
  const { stdout } = await ipIn(run, holder, ['-json', 'link', 'show'])
  const links = JSON.parse(stdout) as { ifname: string; master?: string }[]
  return labNetworks.filter(
    (network) => links.find(({ ifname }) => ifname === portOf(plan, host, network))?.master === undefined,
  )
}
