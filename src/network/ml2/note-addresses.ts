/** Notes for agents that the addresses of several ports changed at once, as when a subnet comes or goes. */
import { lockBindings } from '../store/port-parts.ts'
import { groupsOfPorts } from '../store/security-groups.ts'
import type { Work } from '../work.ts'

export async function noteAddresses(
  work: Work,
  ports: readonly { id: string; network_id: string }[],
): Promise<void> {
  const ids = ports.map((port) => port.id)
  const bindings = await lockBindings(work.db, ids)
  const hosts = new Map(bindings.map((binding) => [binding.port_id, binding.host]))
  const groups = await groupsOfPorts(work.db, ids)
  for (const port of ports) {
    work.changes.port({
      id: port.id,
      networkId: port.network_id,
      hosts: [hosts.get(port.id) ?? ''].filter((host) => host !== ''),
      groups: groups.get(port.id) ?? [],
      dhcp: true,
      moved: false,
    })
  }
}
