import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { sendByHttp } from '../base/http/send-by-http.ts'
import { table } from './terminal/table.ts'
import { runningProcess } from './up/process.ts'
import { requireSettings, type ServiceName, standardPorts, urlOf } from './up/settings.ts'

/** Prints each API with its answer; 0 when all answer, 3 when the cloud is down (as `systemctl status` does). */
export async function status(options: { stateDir: string }): Promise<number> {
  const stateDir = resolve(options.stateDir)
  const settings = requireSettings(stateDir)
  const running = runningProcess(stateDir)
  if (running === undefined) {
    console.log(`The cloud in ${stateDir} is down. Start it with: kilonova up`)
    return 3
  }
  const services = Object.keys(standardPorts) as ServiceName[]
  const answers = await Promise.all(services.map((service) => answerOf(urlOf(settings, service))))
  const rows = services.map((service, i) => [service, urlOf(settings, service), answers[i] ?? ''])
  console.log(table(['API', 'URL', 'Answers'], rows))
  const seconds = Math.round((Date.now() - Date.parse(running.startedAt)) / 1000)
  const memory = `${Math.round(residentKib(running.pid) / 1024)} MiB`
  console.log(`Process ${running.pid}, up for ${seconds} s, ${memory} of memory, state in ${stateDir}`)
  return answers.every((answer) => answer.startsWith('yes')) ? 0 : 1
}

async function answerOf(url: string): Promise<string> {
  const started = performance.now()
  try {
    const reply = await sendByHttp(url, { timeoutSeconds: 5 })({ method: 'GET', path: '/' })
    const milliseconds = (performance.now() - started).toFixed(0)
    return reply.status < 500 ? `yes (${milliseconds} ms)` : `with an error: HTTP ${reply.status}`
  } catch (error) {
    return `no: ${(error as Error).message}`
  }
}

function residentKib(pid: number): number {
  const match = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1] ?? 0)
}
