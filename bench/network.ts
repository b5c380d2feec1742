/**
 * Network's two budgets, in this process, on SQLite in a file, with 8 clients at once:
 * `node bench/network.ts [seconds]` prints how many ports and security group rules are made in a second.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryBus } from '../src/base/bus/memory.ts'
import { sendByInject } from '../src/base/http/client.ts'
import { silentLogger } from '../src/base/log.ts'
import { startNetwork } from '../src/network/service.ts'
import { testTokens } from '../src/network/test-network.ts'

const clients = 8
const seconds = Number(process.argv[2] ?? 5)
const directory = mkdtempSync(join(tmpdir(), 'kilonova-bench-'))

const network = await startNetwork({
  databaseUrl: `sqlite:///${join(directory, 'neutron.sqlite')}`,
  tokens: testTokens,
  bus: createMemoryBus(),
  log: silentLogger,
  identityUri: 'http://localhost:5000',
  options: { quotas: {} },
})
const send = sendByInject(network.app)

// biome-ignore lint/suspicious/noExplicitAny: bodies of every form.
async function make(path: string, body: unknown): Promise<any> {
  const headers = { 'x-auth-token': 'member:bench' }
  const reply = await send({ method: 'POST', path: `/v2.0/${path}`, headers, body })
  if (reply.status !== 201) throw new Error(`${path}: ${reply.status} ${JSON.stringify(reply.body)}`)
  return reply.body
}

/** How often `work` is done in a second by all clients together, and what processor time each takes. */
async function measure(work: (n: number) => Promise<unknown>): Promise<{ rate: number; cpu: number }> {
  const before = process.cpuUsage()
  const start = performance.now()
  const end = start + seconds * 1000
  let done = 0
  let next = 0
  const client = async () => {
    while (performance.now() < end) {
      await work(next++)
      done++
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const { user, system } = process.cpuUsage(before)
  return { rate: done / ((performance.now() - start) / 1000), cpu: (user + system) / 1000 / done }
}

function report(what: string, measured: { rate: number; cpu: number }, budget: number): void {
  const rate = measured.rate.toFixed(0).padStart(6)
  console.log(
    `${what.padEnd(22)} ${rate} /s   budget ${budget}   ${measured.cpu.toFixed(2)} ms of processor time each`,
  )
}

try {
  const { network: net } = await make('networks', { network: { name: 'bench' } })
  const subnet = { network_id: net.id, ip_version: 4, cidr: '10.0.0.0/12' }
  await make('subnets', { subnet })
  const ports = await measure(() => make('ports', { port: { network_id: net.id } }))
  report('port create', ports, 300)
  const { security_group: group } = await make('security-groups', { security_group: { name: 'bench' } })
  const rules = await measure((n) =>
    make('security-group-rules', {
      security_group_rule: {
        security_group_id: group.id,
        direction: 'ingress',
        protocol: 'tcp',
        port_range_min: 1 + (n % 65_000),
        port_range_max: 65_535 - Math.floor(n / 65_000),
      },
    }),
  )
  report('security rule create', rules, 500)
} finally {
  await network[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
}
