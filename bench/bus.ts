/**
 * Messages in memory and over a real RabbitMQ, sender and server in this process:
 * `node bench/bus.ts [seconds]` prints calls and casts in a second, and the processor time that this process and the
 * broker spend on each. A cast counts when the broker has confirmed it and the handler has taken it.
 */
import { readFileSync } from 'node:fs'
import type { Bus } from '../src/base/bus/bus.ts'
import { openBus } from '../src/base/bus/open.ts'
import { silentLogger } from '../src/base/log.ts'
import { Rabbitmq } from '../src/testing/rabbitmq.ts'
import { measure } from './load.ts'

const seconds = Number(process.argv[2] ?? 5)
const args = { subject: 'server:5f0a3f6c-6b0e-4b43-9d0c-0d9a6d3f9f10', hosts: ['compute1', 'compute2'] }

function cpuSeconds(brokerPid: number | undefined): { own: number; broker: number } {
  const { user, system } = process.cpuUsage()
  const own = (user + system) / 1e6
  if (brokerPid === undefined) return { own, broker: 0 }
  // User and system time in hundredths of a second, after the name in brackets; see proc(5).
  const fields = readFileSync(`/proc/${brokerPid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return { own, broker: (Number(fields[11]) + Number(fields[12])) / 100 }
}

async function bench(name: string, sender: Bus, server: Bus, brokerPid?: number): Promise<void> {
  let taken = 0
  await server.serve(
    { topic: 'bench', server: 'one' },
    {
      answer: (asked: unknown) => asked,
      take: () => {
        taken += 1
      },
    },
  )
  const kinds = {
    calls: () => sender.call({ topic: 'bench' }, 'answer', args),
    casts: () => sender.cast({ topic: 'bench' }, 'take', args),
  }
  for (const [kind, work] of Object.entries(kinds)) {
    for (const clients of [1, 8, 64]) {
      taken = 0
      const before = cpuSeconds(brokerPid)
      const { count, errors, perSecond, p50, p99 } = await measure({ clients, seconds }, work)
      while (kind === 'casts' && taken < count) await new Promise((resolve) => setTimeout(resolve, 5))
      const after = cpuSeconds(brokerPid)
      const each = (used: number): string => `${Math.round((used / count) * 1e6)} µs`
      console.log(
        `${name}, ${kind}, ${clients} at once: ${Math.round(perSecond)} /s, p50 ${p50.toFixed(2)} ms, ` +
          `p99 ${p99.toFixed(2)} ms, processor time each ${each(after.own - before.own)} here, ` +
          `${each(after.broker - before.broker)} in the broker, ${errors} errors`,
      )
    }
  }
  await sender.close()
  await server.close()
}

const memory = openBus({ transportUrl: 'memory://', exchange: 'nova', log: silentLogger })
await bench('memory', memory, memory)

await using rabbit = await Rabbitmq.start()
for (const [name, options] of [
  ['RabbitMQ', {}],
  ['RabbitMQ, quorum queues', { rabbitQuorumQueue: true }],
] as const) {
  const url = rabbit.ownUrl()
  const open = () => openBus({ transportUrl: url, exchange: 'nova', log: silentLogger, options })
  await bench(name, open(), open(), rabbit.processId)
}
