/** A cloud of its own for a measurement, in a process of its own, started as a user starts it. */
import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runningProcess } from '../src/cli/up/process.ts'
import {
  type CloudSettings,
  readSecrets,
  requireSettings,
  type ServiceName,
  urlOf,
} from '../src/cli/up/settings.ts'
import { request } from './load.ts'

const kilonova = join(import.meta.dirname, '../kilonova')

export interface BenchCloud extends Disposable {
  stateDir: string
  settings: CloudSettings
  pid: number
  /** Seconds that `up` took. */
  upSeconds: number
  url(service: ServiceName): string
  /** Headers with an administrator's token and the newest microversions. */
  headers: Record<string, string>
  /** Sends and parses; throws for a status of 400 and above. */
  call<T>(service: ServiceName, method: string, path: string, body?: unknown): Promise<T>
  /** Processor time the cloud's process has used, in milliseconds. */
  cpuMilliseconds(): number
  /** Proportional set size in MiB. */
  pssMib(): number
}

/** Starts a cloud; `again` stops and starts it once more, so that the first start's work is not in the figure. */
export async function startBenchCloud(options: readonly string[], again = false): Promise<BenchCloud> {
  const stateDir = mkdtempSync(join(tmpdir(), 'kilonova-bench-'))
  const offset = String(1000 + 20 * randomInt(1300))
  const kilonovaCommand = (...args: string[]) =>
    execFileSync(kilonova, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  kilonovaCommand('up', '--state-dir', stateDir, '--port-offset', offset, ...options)
  let started = performance.now()
  if (again) {
    kilonovaCommand('down', '--state-dir', stateDir)
    started = performance.now()
    kilonovaCommand('up', '--state-dir', stateDir)
  }
  const upSeconds = (performance.now() - started) / 1000
  const settings = requireSettings(stateDir)
  const pid = runningProcess(stateDir)?.pid ?? 0
  const headers = await login(settings, readSecrets(stateDir).adminPassword)
  const url = (service: ServiceName) => urlOf(settings, service)
  return {
    stateDir,
    settings,
    pid,
    upSeconds,
    url,
    headers,
    async call<T>(service: ServiceName, method: string, path: string, body?: unknown): Promise<T> {
      const reply = await request(method, url(service) + path, headers, body)
      if (reply.status >= 400)
        throw new Error(`${method} ${path}: ${reply.status} ${reply.body.slice(0, 300)}`)
      return (reply.body === '' ? undefined : JSON.parse(reply.body)) as T
    },
    cpuMilliseconds: () => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return (Number(fields[11]) + Number(fields[12])) * 10
    },
    pssMib: () => {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
      return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024
    },
    [Symbol.dispose]: () => {
      kilonovaCommand('down', '--purge', '--state-dir', stateDir)
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

async function login(settings: CloudSettings, password: string): Promise<Record<string, string>> {
  const user = { name: 'admin', domain: { id: 'default' }, password }
  const scope = { project: { name: 'admin', domain: { id: 'default' } } }
  const auth = { identity: { methods: ['password'], password: { user } }, scope }
  const reply = await request('POST', `${urlOf(settings, 'identity')}/v3/auth/tokens`, {}, { auth })
  return {
    'x-auth-token': String(reply.headers['x-subject-token']),
    'openstack-api-version': 'compute 2.96, placement 1.39',
  }
}
