/**
 * Measures the control plane with simulated hosts against the budgets of docs/architecture.md:
 * `node bench/control-plane.ts [--servers 1000] [--boots 600]`.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { table } from '../src/cli/terminal/table.ts'
import { type BenchCloud, startBenchCloud } from './cloud.ts'
import { measure, request } from './load.ts'

const { values } = parseArgs({
  options: { servers: { type: 'string', default: '1000' }, boots: { type: 'string', default: '600' } },
})

const clients = 8
const rows: string[][] = []
const report = (what: string, measured: string, budget: string, met: boolean) => {
  rows.push([what, measured, budget, met ? 'yes' : 'NO'])
  console.error(`${what}: ${measured} (budget ${budget})`)
}
const fixed = (number: number, digits = 1) => number.toFixed(digits)

async function idle(cloud: BenchCloud): Promise<void> {
  report(
    'packages present to all APIs answering',
    `${fixed(cloud.upSeconds, 2)} s`,
    '<= 2 s',
    cloud.upSeconds <= 2,
  )
  await sleep(5000)
  const mib = cloud.pssMib()
  report('idle memory (PSS)', `${fixed(mib, 0)} MiB`, '<= 200 MiB', mib <= 200)
}

async function boots(cloud: BenchCloud, count: number): Promise<void> {
  const { images } = await cloud.call<{ images: { id: string }[] }>('image', 'GET', '/v2/images')
  const { networks } = await cloud.call<{ networks: { id: string }[] }>('network', 'GET', '/v2.0/networks')
  const created: string[] = []
  const server = { imageRef: images[0]?.id, flavorRef: '1', networks: [{ uuid: networks[0]?.id }] }
  const cpu = cloud.cpuMilliseconds()
  const result = await measure({ clients, count, seconds: 120 }, async (index) => {
    const body = { server: { ...server, name: `bench-${index}` } }
    const reply = await cloud.call<{ server: { id: string } }>('compute', 'POST', '/v2.1/servers', body)
    created.push(reply.server.id)
    for (let tries = 0; ; tries++) {
      const shown = await cloud.call<{ server: { status: string } }>(
        'compute',
        'GET',
        `/v2.1/servers/${reply.server.id}`,
      )
      if (shown.server.status === 'ACTIVE') return
      if (shown.server.status === 'ERROR' || tries > 600)
        throw new Error(`server ${reply.server.id} ${shown.server.status}`)
      await sleep(20)
    }
  })
  const each = (cloud.cpuMilliseconds() - cpu) / Math.max(1, result.count)
  report('simulated boots, 8 clients', `${fixed(result.perSecond)} /s`, '>= 100 /s', result.perSecond >= 100)
  report('processor time of a boot', `${fixed(each)} ms`, '<= 10 ms', each <= 10)
  report('boots that failed', `${result.errors} ${result.firstError ?? ''}`, '0', result.errors === 0)
}

async function lists(cloud: BenchCloud): Promise<void> {
  const { servers } = await cloud.call<{ servers: unknown[] }>(
    'compute',
    'GET',
    '/v2.1/servers/detail?limit=1000',
  )
  const cpu = cloud.cpuMilliseconds()
  const detail = await measure({ clients: 1, count: 30 }, () =>
    cloud.call('compute', 'GET', '/v2.1/servers/detail?limit=1000'),
  )
  const each = (cloud.cpuMilliseconds() - cpu) / detail.count
  report(
    `GET /servers/detail, ${servers.length} servers`,
    `${fixed(detail.p50)} ms`,
    '<= 40 ms for 1,000',
    detail.p50 <= 40,
  )
  report('processor time of it', `${fixed(each)} ms`, '<= 40 ms for 1,000', each <= 40)
}

async function tokens(cloud: BenchCloud): Promise<void> {
  const headers = { ...cloud.headers, 'x-subject-token': cloud.headers['x-auth-token'] ?? '' }
  const result = await measure({ clients, seconds: 5 }, async () => {
    const reply = await request('GET', `${cloud.url('identity')}/v3/auth/tokens`, headers)
    if (reply.status !== 200) throw new Error(`${reply.status} ${reply.body}`)
  })
  report(
    'token validations, 8 clients',
    `${fixed(result.perSecond, 0)} /s`,
    '>= 5,000 /s',
    result.perSecond >= 5000,
  )
}

async function claims(cloud: BenchCloud): Promise<void> {
  const uuid = randomUUID()
  await cloud.call('placement', 'POST', '/resource_providers', { name: `bench-${uuid}`, uuid })
  await cloud.call('placement', 'PUT', `/resource_providers/${uuid}/inventories`, {
    resource_provider_generation: 0,
    inventories: { VCPU: { total: 1_000_000 }, MEMORY_MB: { total: 1_000_000_000 } },
  })
  const cpu = cloud.cpuMilliseconds()
  const result = await measure({ clients, seconds: 5 }, () =>
    cloud.call('placement', 'PUT', `/allocations/${randomUUID()}`, {
      allocations: { [uuid]: { resources: { VCPU: 1, MEMORY_MB: 64 } } },
      project_id: randomUUID(),
      user_id: randomUUID(),
      consumer_generation: null,
      consumer_type: 'INSTANCE',
    }),
  )
  report(
    'claims, 8 clients',
    `${fixed(result.perSecond, 0)} /s, ${result.errors} errors`,
    '>= 1,000 /s',
    result.perSecond >= 1000,
  )
  const each = (cloud.cpuMilliseconds() - cpu) / Math.max(1, result.count)
  report('processor time of a claim', `${fixed(each, 2)} ms`, '<= 1 ms', each <= 1)
}

async function ports(cloud: BenchCloud): Promise<void> {
  const made = await cloud.call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
    network: { name: 'bench' },
  })
  const subnet = { network_id: made.network.id, ip_version: 4, cidr: '10.200.0.0/16' }
  await cloud.call('network', 'POST', '/v2.0/subnets', { subnet })
  const result = await measure({ clients, seconds: 5 }, () =>
    cloud.call('network', 'POST', '/v2.0/ports', { port: { network_id: made.network.id } }),
  )
  report(
    'port creates, 8 clients',
    `${fixed(result.perSecond, 0)} /s, ${result.errors} errors`,
    '>= 300 /s',
    result.perSecond >= 300,
  )
  const group = await cloud.call<{ security_group: { id: string } }>(
    'network',
    'POST',
    '/v2.0/security-groups',
    {
      security_group: { name: 'bench' },
    },
  )
  const rules = await measure({ clients, seconds: 5 }, (index) =>
    cloud.call('network', 'POST', '/v2.0/security-group-rules', {
      security_group_rule: {
        security_group_id: group.security_group.id,
        direction: 'ingress',
        protocol: index % 2 === 0 ? 'tcp' : 'udp',
        port_range_min: 1 + (index % 60000),
        port_range_max: 1 + (index % 60000),
      },
    }),
  )
  report(
    'rule creates, 8 clients',
    `${fixed(rules.perSecond, 0)} /s, ${rules.errors} errors`,
    '>= 500 /s',
    rules.perSecond >= 500,
  )
}

/** The quotas of the administrator's project out of the way. */
async function unlimited(cloud: BenchCloud): Promise<void> {
  type Projects = { projects: { id: string }[] }
  const { projects } = await cloud.call<Projects>('identity', 'GET', '/v3/projects?name=admin')
  const project = projects[0]?.id
  await cloud.call('compute', 'PUT', `/v2.1/os-quota-sets/${project}`, {
    quota_set: { instances: -1, cores: -1, ram: -1 },
  })
  await cloud.call('network', 'PUT', `/v2.0/quotas/${project}`, {
    quota: { port: -1, security_group_rule: -1 },
  })
}

using cloud = await startBenchCloud(
  ['--simulated', '--hosts', '10', '--provider-cidr', '10.201.0.0/16'],
  true,
)
await idle(cloud)
await unlimited(cloud)
await boots(cloud, Number(values.boots))
await boots(cloud, Math.max(0, Number(values.servers) - Number(values.boots)))
await lists(cloud)
await tokens(cloud)
await claims(cloud)
await ports(cloud)
console.log(table(['what', 'measured', 'budget', 'met'], rows))
