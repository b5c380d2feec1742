/** Starts and stops one unit, as systemd.service(5) says for what its file may contain here. */
import { execFile, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../../base/clock.ts'
import { Fault } from '../../../base/errors.ts'
import { parseCommand, parseSeconds, parseUnitFile, splitWords, type UnitFile } from './unit-file.ts'

export const unitDirectory = '/etc/systemd/system'
/** Where it is kept which processes a unit has: `main.pid`, `supervisor.pid`. */
export const stateOf = (unit: string) => join('/run/lab/units', unit)
export const logOf = (unit: string) => join('/var/log/units', `${unit.replace(/\.service$/, '')}.log`)

export const unitName = (given: string): string => (/\.\w+$/.test(given) ? given : `${given}.service`)

export function readUnit(unit: string): UnitFile {
  const file = join(unitDirectory, unit)
  if (!existsSync(file)) throw new Fault('not-found', `Unit ${unit} could not be found in ${unitDirectory}.`)
  return parseUnitFile(readFileSync(file, 'utf8'))
}

const service = (unit: UnitFile, option: string) => unit.last('Service', option)

/** The process of a pid file, if it runs. */
function running(unit: string, which: 'main' | 'supervisor'): number | undefined {
  const pid = Number(readIfThere(join(stateOf(unit), `${which}.pid`)))
  if (!Number.isInteger(pid) || pid <= 1) return undefined
  const status = readIfThere(`/proc/${pid}/status`)
  return status === '' || /^State:\s+Z/m.test(status) ? undefined : pid
}

/** Empty when it is not there: a process may end between the opening of its file and the reading. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}

export const mainPid = (unit: string): number | undefined => running(unit, 'main')

/** `active`, also between two tries of a main process that fails; `failed` when it ended with an error. */
export function stateOfUnit(unit: string): 'active' | 'inactive' | 'failed' | 'activating' {
  if (running(unit, 'supervisor') !== undefined) return mainPid(unit) === undefined ? 'activating' : 'active'
  const file = join(stateOf(unit), 'code')
  const code = existsSync(file) ? readFileSync(file, 'utf8').trim() : '0'
  return code === '0' || existsSync(join(stateOf(unit), 'stopping')) ? 'inactive' : 'failed'
}

/** Starts a unit, what it wants first, and waits until it says that it is ready. One that runs is left alone. */
export async function startUnit(unit: string): Promise<void> {
  if (running(unit, 'supervisor') !== undefined) return
  const file = readUnit(unit)
  for (const wanted of ['Wants', 'Requires']
    .flatMap((option) => file.all('Unit', option))
    .flatMap(splitWords)) {
    if (existsSync(join(unitDirectory, wanted))) await startUnit(wanted)
  }
  const state = stateOf(unit)
  rmSync(state, { recursive: true, force: true })
  mkdirSync(state, { recursive: true })
  mkdirSync('/var/log/units', { recursive: true })
  makeDirectories(file)
  const environment = environmentOf(unit, file)
  for (const line of file.all('Service', 'ExecStartPre')) await runStep(unit, file, line, environment)
  const [line] = file.all('Service', 'ExecStart')
  if (line === undefined) throw new Fault('invalid', `${unit} has no ExecStart.`)
  const kind = service(file, 'Type') === 'notify' ? 'notify' : 'plain'
  const options = [
    service(file, 'Restart') ?? 'no',
    String(parseSeconds(service(file, 'RestartSec') ?? '100ms')),
  ]
  const supervisor = spawn(
    '/bin/bash',
    [
      join(import.meta.dirname, 'supervise.sh'),
      state,
      logOf(unit),
      ...options,
      service(file, 'KillMode') ?? 'control-group',
      kind,
      '--',
      ...commandLine(file, line, unit, environment),
    ],
    { detached: true, stdio: 'ignore', cwd: service(file, 'WorkingDirectory')?.replace(/^-/, '') ?? '/' },
  )
  supervisor.unref()
  await waitUntilReady(unit, file, kind)
  for (const after of file.all('Service', 'ExecStartPost')) await runStep(unit, file, after, environment)
}

/** Ends a unit's processes as its file says, and waits. */
export async function stopUnit(unit: string): Promise<void> {
  const supervisor = running(unit, 'supervisor')
  if (supervisor === undefined) return
  const file = readUnit(unit)
  writeFileSync(join(stateOf(unit), 'stopping'), '')
  const signal = service(file, 'KillSignal') ?? 'SIGTERM'
  const main = mainPid(unit)
  // Without a main process its supervisor waits to start one.
  send(main ?? supervisor, main === undefined ? 'SIGKILL' : signal)
  const deadline = Date.now() + parseSeconds(service(file, 'TimeoutStopSec') ?? '90') * 1000
  while (running(unit, 'supervisor') !== undefined) {
    const pid = mainPid(unit)
    if (Date.now() > deadline && pid !== undefined) send(pid, 'SIGKILL')
    await sleep(20)
  }
}

/** Sends a unit's main process its ExecReload, or SIGHUP. */
export async function reloadUnit(unit: string): Promise<void> {
  const file = readUnit(unit)
  const main = mainPid(unit)
  if (main === undefined) throw new Fault('conflict', `${unit} is not active, cannot reload.`)
  const lines = file.all('Service', 'ExecReload')
  if (lines.length === 0) send(main, 'SIGHUP')
  const environment = { ...environmentOf(unit, file), MAINPID: String(main) }
  for (const line of lines) await runStep(unit, file, line, environment)
}

/** A signal to the main process alone. */
export function killUnit(unit: string, signal: string): void {
  const main = mainPid(unit)
  if (main === undefined) throw new Fault('conflict', `${unit} has no main process to kill.`)
  send(main, signal)
}

function send(pid: number, signal: string): void {
  const name = signal.startsWith('SIG') ? signal : `SIG${signal}`
  try {
    process.kill(pid, /^\d+$/.test(signal) ? Number(signal) : (name as NodeJS.Signals))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function waitUntilReady(unit: string, file: UnitFile, kind: 'notify' | 'plain'): Promise<void> {
  const deadline = Date.now() + parseSeconds(service(file, 'TimeoutStartSec') ?? '90') * 1000
  const notified = join(stateOf(unit), 'notified')
  let first: number | undefined
  while (Date.now() < deadline) {
    first ??= mainPid(unit)
    if (existsSync(join(stateOf(unit), 'code')) || (first !== undefined && mainPid(unit) !== first)) {
      throw new Fault('unavailable', `${unit} ended before it was ready:\n${lastLines(unit)}`)
    }
    if (first !== undefined) {
      if (kind === 'plain') return
      if (existsSync(notified) && readFileSync(notified, 'utf8').includes('READY=1')) return
    }
    await sleep(10)
  }
  throw new Fault('unavailable', `${unit} did not say that it is ready:\n${lastLines(unit)}`)
}

export function lastLines(unit: string, count = 10): string {
  const log = logOf(unit)
  return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-count).join('\n') : ''
}

/** Directories that a unit may ask for: below which root, and the variable that tells the service where. */
const directories = {
  RuntimeDirectory: ['/run', 'RUNTIME_DIRECTORY'],
  StateDirectory: ['/var/lib', 'STATE_DIRECTORY'],
  CacheDirectory: ['/var/cache', 'CACHE_DIRECTORY'],
  LogsDirectory: ['/var/log', 'LOGS_DIRECTORY'],
  ConfigurationDirectory: ['/etc', 'CONFIGURATION_DIRECTORY'],
} as const

function directoriesOf(file: UnitFile): { variable: string; paths: string[] }[] {
  return Object.entries(directories)
    .map(([option, [root, variable]]) => {
      const names = file.all('Service', option).flatMap(splitWords)
      return { variable, paths: names.map((name) => join(root, name)) }
    })
    .filter(({ paths }) => paths.length > 0)
}

/** Makes them, owned by the unit's user. */
function makeDirectories(file: UnitFile): void {
  const owner = userOf(file)
  for (const path of directoriesOf(file).flatMap(({ paths }) => paths)) {
    mkdirSync(path, { recursive: true, mode: 0o755 })
    if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
  }
}

interface Owner {
  name: string
  uid: number
  gid: number
  home: string
}

function userOf(file: UnitFile): Owner | undefined {
  const name = service(file, 'User')
  if (name === undefined || name === 'root') return undefined
  const row = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
  if (row === undefined) throw new Fault('not-found', `There is no user ${name} in /etc/passwd.`)
  const [, , uid, gid, , home] = row.split(':')
  return { name, uid: Number(uid), gid: Number(gid), home: home ?? '/' }
}

/** The user's own groups, or these with those that the unit adds. */
function groupsOf(file: UnitFile, owner: Owner): string[] {
  const added = file.all('Service', 'SupplementaryGroups').flatMap(splitWords)
  if (added.length === 0) return ['--init-groups']
  const rows = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const missing = added.find((name) => !rows.some((row) => row[0] === name))
  if (missing !== undefined) throw new Fault('not-found', `There is no group ${missing} in /etc/group.`)
  const ids = rows
    .filter(([name, , , members]) => added.includes(name!) || members?.split(',').includes(owner.name))
    .map((row) => row[2])
  return [`--groups=${[owner.gid, ...ids].join(',')}`]
}

function environmentOf(unit: string, file: UnitFile): Record<string, string> {
  const owner = userOf(file)
  const environment: Record<string, string> = {
    PATH: '/run/lab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    HOME: owner?.home ?? '/root',
    USER: owner?.name ?? 'root',
    LOGNAME: owner?.name ?? 'root',
  }
  if (service(file, 'Type') === 'notify') environment['NOTIFY_SOCKET'] = join(stateOf(unit), 'notify')
  for (const { variable, paths } of directoriesOf(file)) environment[variable] = paths.join(':')
  const lines = file.all('Service', 'Environment').flatMap(splitWords)
  for (const given of file.all('Service', 'EnvironmentFile')) {
    const path = given.replace(/^-/, '')
    if (!existsSync(path) && given.startsWith('-')) continue
    const rows = readFileSync(path, 'utf8').split('\n')
    lines.push(...rows.filter((row) => /^\s*\w+=/.test(row)).map((row) => splitWords(row).join(' ')))
  }
  for (const line of lines) {
    const at = line.indexOf('=')
    if (at > 0) environment[line.slice(0, at).trim()] = line.slice(at + 1)
  }
  return environment
}

/** The command with its environment, user and capabilities, as programs that each become the next. */
function commandLine(
  file: UnitFile,
  line: string,
  unit: string,
  environment: Readonly<Record<string, string>>,
): string[] {
  const { argv, asRoot } = parseCommand(line, unit, environment)
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  const owner = asRoot ? undefined : userOf(file)
  const capabilities = file
    .all('Service', 'AmbientCapabilities')
    .flatMap(splitWords)
    .map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`)
    .join(',')
  const ambient = capabilities === '' ? [] : [`--inh-caps=${capabilities}`, `--ambient-caps=${capabilities}`]
  const as =
    owner === undefined
      ? []
      : ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, ...groupsOf(file, owner), ...ambient]
  return ['env', '-i', ...settings, ...as, ...argv]
}

function runStep(
  unit: string,
  file: UnitFile,
  line: string,
  environment: Record<string, string>,
): Promise<void> {
  const [command = '', ...args] = commandLine(file, line, unit, environment)
  const cwd = service(file, 'WorkingDirectory')?.replace(/^-/, '') ?? '/'
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, timeout: 90_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null || parseCommand(line, unit, environment).mayFail) return resolve()
      const said = `${stdout}${stderr}`.trim()
      reject(new Fault('unavailable', `${unit}: ${line} failed (${error.code}): ${said}\n${lastLines(unit)}`))
    })
  })
}
