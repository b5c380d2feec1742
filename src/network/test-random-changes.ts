/** For tests: a tenant who changes networks, ports and groups at random, the same way for the same seed. */
import type { Answer, TestNetwork } from './test-network.ts'

/** A number from 0 to below `limit`, the next of a row that the seed decides. */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** What `randomChange` made and may change again. */
export interface RandomWorld {
  networks: string[]
  subnets: string[]
  ports: string[]
  groups: string[]
  rules: string[]
  addressGroups: string[]
}

export const emptyWorld = (): RandomWorld => ({
  networks: [],
  subnets: [],
  ports: [],
  groups: [],
  rules: [],
  addressGroups: [],
})

/** Makes one change, which the server may refuse; returns what was done, for messages. */
export async function randomChange(
  cloud: TestNetwork,
  world: RandomWorld,
  hosts: readonly string[],
  next: (limit: number) => number,
): Promise<string> {
  const pick = <T>(items: readonly T[]): T | undefined => items[next(items.length || 1)]
  const some = <T>(items: readonly T[]): T[] => items.filter(() => next(3) === 0)
  const call = (method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) =>
    cloud.admin(method, path, body)
  let number = next(200)

  async function make(kept: string[], path: string, key: string, values: object): Promise<string> {
    const answer = await call('POST', path, { [key]: values })
    if (answer.status === 201) kept.push(answer.body[key].id)
    return describe(answer, 'POST', path, values)
  }
  async function change(path: string, key: string, values: object): Promise<string> {
    return describe(await call('PUT', path, { [key]: values }), 'PUT', path, values)
  }
  async function remove(kept: string[], path: string): Promise<string> {
    const id = pick(kept)
    const answer = await call('DELETE', `${path}/${id}`)
    if (answer.status === 204) kept.splice(kept.indexOf(id!), 1)
    return describe(answer, 'DELETE', `${path}/${id}`, {})
  }

  const kinds: [weight: number, work: () => Promise<string>][] = [
    [4, () => make(world.networks, '/networks', 'network', aNetwork(next))],
    [3, () => change(`/networks/${pick(world.networks)}`, 'network', { mtu: 1300 + next(100) })],
    [2, () => change(`/networks/${pick(world.networks)}`, 'network', { admin_state_up: next(2) === 0 })],
    [2, () => remove(world.networks, '/networks')],
    [5, () => make(world.subnets, '/subnets', 'subnet', aSubnet(pick(world.networks), next))],
    [3, () => change(`/subnets/${pick(world.subnets)}`, 'subnet', { enable_dhcp: next(3) > 0 })],
    [2, () => remove(world.subnets, '/subnets')],
    [40, () => make(world.ports, '/ports', 'port', aPort())],
    [40, () => change(`/ports/${pick(world.ports)}`, 'port', portChange())],
    [25, () => remove(world.ports, '/ports')],
    [5, () => make(world.groups, '/security-groups', 'security_group', { name: 'g', stateful: next(4) > 0 })],
    [2, () => remove(world.groups, '/security-groups')],
    [15, () => make(world.rules, '/security-group-rules', 'security_group_rule', aRule())],
    [8, () => remove(world.rules, '/security-group-rules')],
    [
      2,
      () =>
        make(world.addressGroups, '/address-groups', 'address_group', {
          name: 'a',
          addresses: ['192.0.2.1/32'],
        }),
    ],
    [5, changeAddressGroup],
    [5, reportHost],
  ]

  function aPort(): object {
    const network = { network_id: pick(world.networks), name: 'p', device_owner: 'compute:nova' }
    const groups = next(2) === 0 ? {} : { security_groups: some(world.groups) }
    return { ...network, ...groups, 'binding:host_id': next(6) === 0 ? '' : pick(hosts) }
  }

  function portChange(): object {
    const mac = `fa:16:3e:99:00:${(10 + next(80)).toString()}`
    const choices: object[] = [
      { 'binding:host_id': pick(hosts) },
      { 'binding:host_id': '' },
      { security_groups: some(world.groups) },
      { fixed_ips: [] },
      {
        fixed_ips: some(world.subnets)
          .slice(0, 2)
          .map((subnet_id) => ({ subnet_id })),
      },
      { admin_state_up: next(2) === 0 },
      { allowed_address_pairs: [{ ip_address: `10.66.0.${next(20)}` }] },
      { allowed_address_pairs: [] },
      { port_security_enabled: false, security_groups: [], allowed_address_pairs: [] },
      { port_security_enabled: true },
      { mac_address: mac },
      { dns_name: `name${next(9)}` },
      { extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: String(next(1500)) }] },
      { name: `name${next(9)}`, description: 'other' },
      { device_owner: next(3) === 0 ? 'network:router_interface' : 'compute:nova' },
    ]
    return choices[next(choices.length)]!
  }

  function aRule(): object {
    const port = 1 + next(50)
    const remotes: object[] = [
      {},
      { remote_ip_prefix: `10.${next(9)}.0.0/16` },
      { remote_group_id: pick(world.groups) ?? null },
      { remote_group_id: pick(world.groups) ?? null },
      { remote_address_group_id: pick(world.addressGroups) ?? null },
    ]
    return {
      security_group_id: pick(world.groups),
      direction: next(2) === 0 ? 'ingress' : 'egress',
      ethertype: next(4) === 0 ? 'IPv6' : 'IPv4',
      protocol: 'tcp',
      port_range_min: port,
      port_range_max: port,
      ...remotes[next(remotes.length)],
    }
  }

  async function changeAddressGroup(): Promise<string> {
    const path = `/address-groups/${pick(world.addressGroups)}/${next(2) === 0 ? 'add' : 'remove'}_addresses`
    const body = { addresses: [`192.0.2.${next(5)}/32`] }
    const answer = await cloud.admin('PUT', path, body)
    return describe(answer, 'PUT', path, body)
  }

  /** An agent whose tunnels end somewhere else now. */
  async function reportHost(): Promise<string> {
    const host = pick(hosts)!
    await cloud.rpc('reportState', {
      agentType: 'Linux bridge agent',
      binary: 'neutron-linuxbridge-agent',
      host,
      topic: 'N/A',
      configurations: {
        tunnel_types: ['vxlan'],
        tunneling_ip: `192.0.2.${next(250)}`,
        interface_mappings: { provider: 'eth1' },
      },
      started: next(2) === 0,
    })
    return `report of ${host}`
  }

  for (const [weight, work] of [...kinds, ...kinds]) {
    if (number < weight) return work()
    number -= weight
  }
  return 'nothing'
}

function aNetwork(next: (limit: number) => number): object {
  const flat = { 'provider:network_type': 'flat', 'provider:physical_network': 'provider' }
  return { name: 'n', shared: true, ...(next(4) === 0 ? flat : {}) }
}

function aSubnet(networkId: string | undefined, next: (limit: number) => number): object {
  const number = next(200)
  const kinds = [
    { ip_version: 4, cidr: `10.${number}.0.0/24` },
    { ip_version: 4, cidr: `10.${number}.0.0/24` },
    { ip_version: 4, cidr: `10.${number}.0.0/24`, enable_dhcp: false },
    { ip_version: 6, cidr: `2001:db8:${number}::/64`, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' },
    { ip_version: 6, cidr: `2001:db8:${number}::/64` },
  ]
  return { network_id: networkId, ...kinds[next(kinds.length)] }
}

const describe = (answer: Answer, method: string, path: string, values: object): string =>
  `${method} ${path} ${JSON.stringify(values)}: ${answer.status}${answer.status >= 400 ? ` ${JSON.stringify(answer.body)}` : ''}`
