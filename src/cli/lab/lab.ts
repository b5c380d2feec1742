/**
 * A lab: hosts made of namespaces on this machine, joined by a switch in a namespace of its own, with a database, a
 * message queue and a cache on the controller and a libvirtd on each compute host. Nothing of it is in this machine's
 * own namespaces: no device, address, mount or port; its files are in one directory.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { createLogger } from '../../base/log.ts'
import { hostRun, type Run } from '../../linux/run.ts'
import { makeHostFiles } from './host-files.ts'
import { endHolder, type Holder, holds, startHolder } from './namespaces.ts'
import { type OnHostOptions, type Outcome, runOnHost } from './on-host.ts'
import { controllerOf, findHost, type HostPlan, type LabPlan, readPlan, writePlan } from './plan.ts'
import { connectHost, cutHost, cutNetworks, healHost, type LabNetwork, makeBridges } from './switch.ts'
import { databaseUnit } from './units.ts'

const program = resolve(import.meta.dirname, '../../..')

interface Holders {
  switch: Holder
  hosts: Record<string, Holder>
}

/** A lab that runs. Disposing it takes it away with all its files. */
export interface Lab extends AsyncDisposable {
  directory: string
  plan: LabPlan
  /** The first process of a host. */
  holder(host: string): Holder
  /** Runs a program on a host as root's login there would. Rejects when it fails, with what it said. */
  run(host: string, command: readonly string[], options?: OnHostOptions): Promise<string>
  /** As `run`, with the exit code as part of the outcome. */
  attempt(host: string, command: readonly string[], options?: OnHostOptions): Promise<Outcome>
  /** A file of a host as this machine sees it, while the host runs. */
  path(host: string, path: string): string
  cut(host: string, networks?: readonly LabNetwork[]): Promise<void>
  heal(host: string, networks?: readonly LabNetwork[]): Promise<void>
  /** The networks a host is cut off from now. */
  cutFrom(host: string): Promise<LabNetwork[]>
  /** Starts units on a host, and has `lab status` know that they are wanted. */
  start(host: string, ...units: string[]): Promise<void>
  stop(host: string, ...units: string[]): Promise<void>
  /** `kill -9` to a unit's main process. */
  kill(host: string, unit: string, signal?: string): Promise<void>
}

const holdersFile = (directory: string) => join(directory, 'processes.json')
export const filesOf = (directory: string, host: string) => join(directory, 'hosts', host)

/** Makes hosts and switch and starts what OpenStack needs on them. What was made is taken away again on failure. */
export async function startLab(options: {
  directory: string
  plan: LabPlan
  onProgress?: (text: string) => void
}): Promise<Lab> {
  const { plan } = options
  const directory = resolve(options.directory)
  const say = options.onProgress ?? (() => undefined)
  await using undo = new AsyncDisposableStack()
  if (readPlan(directory) !== undefined) {
    throw new Fault('conflict', `There is a lab in ${directory} already: kilonova lab down takes it away.`)
  }
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new Fault('conflict', `${directory} is there already and is no lab; choose another directory.`)
  }
  writePlan(directory, plan)
  undo.defer(() => removeFiles(directory))
  const run = hostRun(createLogger({ level: 'silent' }))
  say('making the switch')
  const logs = join(directory, 'log')
  mkdirSync(logs)
  const switchHolder = await startHolder({
    kinds: ['net'],
    command: ['sleep', 'infinity'],
    log: join(logs, 'switch.log'),
    ready: async () => true,
  })
  undo.defer(() => endHolder(switchHolder))
  await makeBridges(run, switchHolder, plan)
  const hosts: Record<string, Holder> = {}
  for (const host of plan.hosts) {
    say(`making ${host.name}`)
    const holder = await startHost(directory, plan, host, join(logs, `${host.name}.log`))
    undo.defer(() => endHolder(holder))
    await connectHost(run, switchHolder, plan, host, holder)
    hosts[host.name] = holder
  }
  writeHolders(directory, { switch: switchHolder, hosts })
  const lab = labOf(directory, plan, { switch: switchHolder, hosts }, run)
  const controller = controllerOf(plan).name
  say('starting database, message queue and cache')
  await lab.start(controller, databaseUnit[plan.database], 'rabbitmq-server', 'memcached')
  undo.move()
  return lab
}

/** The lab of a directory, if it is there and all its hosts run. */
export async function findLab(directory: string): Promise<Lab | undefined> {
  const plan = readPlan(resolve(directory))
  const holders = readHolders(resolve(directory))
  if (plan === undefined || holders === undefined) return undefined
  for (const holder of [holders.switch, ...Object.values(holders.hosts)]) {
    if (!(await holds(holder))) return undefined
  }
  return labOf(resolve(directory), plan, holders, hostRun(createLogger({ level: 'silent' })))
}

export async function requireLab(directory: string): Promise<Lab> {
  const lab = await findLab(directory)
  if (lab !== undefined) return lab
  throw new Fault('not-found', `No lab runs in ${resolve(directory)}; kilonova lab up makes one.`)
}

/** Takes a lab away: every process, namespace and file, however much of it is left. False when there is none. */
export async function removeLab(directory: string, onProgress: (text: string) => void): Promise<boolean> {
  const path = resolve(directory)
  if (readPlan(path) === undefined) return false
  const holders = readHolders(path)
  for (const [name, holder] of Object.entries(holders?.hosts ?? {}).reverse()) {
    onProgress(`ending ${name}`)
    await endHolder(holder)
  }
  await endHolder(holders?.switch)
  onProgress(`deleting ${path}`)
  await removeFiles(path)
  return true
}

async function startHost(directory: string, plan: LabPlan, host: HostPlan, log: string): Promise<Holder> {
  if (!process.execPath.startsWith(`${program}/`)) {
    throw new Fault(
      'unavailable',
      `A lab's hosts see this program's directory alone, and Node is not in it (${process.execPath}). Start it by ${program}/kilonova, which brings its own.`,
    )
  }
  const files = filesOf(directory, host.name)
  makeHostFiles(files, plan, host)
  return startHolder({
    kinds: ['mount', 'net', 'uts', 'ipc', 'pid'],
    command: ['bash', join(import.meta.dirname, 'host-root.sh'), files, host.name, program, process.execPath],
    log,
    ready: async ({ pid }) => existsSync(`/proc/${pid}/root/run/lab/ready`),
  })
}

function labOf(directory: string, plan: LabPlan, holders: Holders, run: Run): Lab {
  const holder = (host: string): Holder => {
    const found = holders.hosts[findHost(plan, host).name]
    if (found === undefined) throw new Fault('unavailable', `The host ${host} does not run.`)
    return found
  }
  const attempt: Lab['attempt'] = (host, command, options) => runOnHost(holder(host), command, options)
  const runOn: Lab['run'] = async (host, command, options) => {
    const outcome = await attempt(host, command, options)
    if (outcome.code === 0) return outcome.stdout
    const said = `${outcome.stdout}${outcome.stderr}`.trim()
    throw new Fault(
      'unavailable',
      `On ${host}, ${command.join(' ')} ended with status ${outcome.code}: ${said}`,
    )
  }
  const systemctl = async (host: string, ...args: string[]) => {
    await runOn(host, ['systemctl', ...args])
  }
  return {
    directory,
    plan,
    holder,
    run: runOn,
    attempt,
    path: (host, path) => join(`/proc/${holder(host).pid}/root`, path),
    cut: (host, networks) => cutHost(run, holders.switch, plan, findHost(plan, host), networks),
    heal: (host, networks) => healHost(run, holders.switch, plan, findHost(plan, host), networks),
    cutFrom: (host) => cutNetworks(run, holders.switch, plan, findHost(plan, host)),
    start: async (host, ...units) => {
      await systemctl(host, 'enable', ...units)
      await systemctl(host, 'start', ...units)
    },
    stop: (host, ...units) => systemctl(host, 'stop', ...units),
    kill: (host, unit, signal = 'KILL') => systemctl(host, 'kill', '-s', signal, unit),
    [Symbol.asyncDispose]: async () => {
      await removeLab(directory, () => undefined)
    },
  }
}

function writeHolders(directory: string, holders: Holders): void {
  writeFileSync(holdersFile(directory), JSON.stringify(holders), { mode: 0o600 })
}

function readHolders(directory: string): Holders | undefined {
  const file = holdersFile(directory)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Holders) : undefined
}

/**
 * Deletes a lab's files. A host's mounts are its own; if one of them were seen here after all, deleting would go through
 * it into this machine's files.
 */
async function removeFiles(directory: string): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8')
  const below = mounts.split('\n').find((line) => line.split(' ')[4]?.startsWith(`${directory}/`))
  if (below !== undefined) {
    throw new Fault(
      'conflict',
      `${below.split(' ')[4]} is still mounted; unmount it, then delete ${directory}.`,
    )
  }
  rmSync(directory, { recursive: true, force: true })
}
