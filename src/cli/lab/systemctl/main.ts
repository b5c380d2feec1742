/**
 * `systemctl` on a lab's host, which has no systemd: the verbs an installation guide uses, on the unit files in
 * /etc/systemd/system.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describeError, Fault, isFault } from '../../../base/errors.ts'
import {
  killUnit,
  lastLines,
  mainPid,
  readUnit,
  reloadUnit,
  startUnit,
  stateOfUnit,
  stopUnit,
  unitDirectory,
  unitName,
} from './service.ts'

type Verb = (units: readonly string[], flags: ReadonlyMap<string, string>) => Promise<number | undefined>

const each =
  (act: (unit: string) => Promise<void> | void): Verb =>
  async (units) => {
    const outcomes = await Promise.allSettled(units.map(async (unit) => act(unit)))
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected')
    for (const { reason } of failures) console.error(isFault(reason) ? describeError(reason) : reason)
    return failures.length > 0 ? 1 : 0
  }

async function restart(unit: string): Promise<void> {
  await stopUnit(unit)
  await startUnit(unit)
}

function enable(unit: string): void {
  for (const target of readUnit(unit).all('Install', 'WantedBy')) {
    const directory = join(unitDirectory, `${target}.wants`)
    mkdirSync(directory, { recursive: true })
    const link = join(directory, unit)
    if (existsSync(link)) continue
    symlinkSync(join(unitDirectory, unit), link)
    console.error(`Created symlink ${link} → ${join(unitDirectory, unit)}.`)
  }
}

function disable(unit: string): void {
  for (const target of readUnit(unit).all('Install', 'WantedBy')) {
    rmSync(join(unitDirectory, `${target}.wants`, unit), { force: true })
  }
}

const isActive: Verb = async (units) => {
  const states = units.map(stateOfUnit)
  for (const state of states) console.log(state)
  return states.includes('active') ? 0 : 3
}

/** Whether some target wants it. */
function enabled(unit: string): boolean {
  const targets = readdirSync(unitDirectory).filter((name) => name.endsWith('.wants'))
  return targets.some((name) => existsSync(join(unitDirectory, name, unit)))
}

const isEnabled: Verb = async (units) => {
  for (const unit of units) console.log(enabled(unit) ? 'enabled' : 'disabled')
  return units.every(enabled) ? 0 : 1
}

const status: Verb = async (units) => {
  for (const unit of units) {
    const state = stateOfUnit(unit)
    console.log(`${unit} - ${readUnit(unit).last('Unit', 'Description') ?? ''}`)
    console.log(`     Active: ${state}`)
    if (state === 'active') console.log(`   Main PID: ${mainPid(unit)}`)
    console.log(`\n${lastLines(unit)}\n`)
  }
  return units.every((unit) => stateOfUnit(unit) === 'active') ? 0 : 3
}

const listUnits: Verb = async () => {
  const units = readdirSync(unitDirectory).filter((name) => name.endsWith('.service'))
  for (const unit of units.sort()) {
    const description = readUnit(unit).last('Unit', 'Description') ?? ''
    console.log([unit, stateOfUnit(unit), enabled(unit) ? 'enabled' : 'disabled', description].join('\t'))
  }
  return 0
}

const verbs: Readonly<Record<string, Verb>> = {
  start: each(startUnit),
  stop: each(stopUnit),
  restart: each(restart),
  'try-restart': each(async (unit) => {
    if (stateOfUnit(unit) === 'active') await restart(unit)
  }),
  reload: each(reloadUnit),
  enable: async (units, flags) => {
    for (const unit of units) enable(unit)
    return flags.has('now') ? each(startUnit)(units, flags) : 0
  },
  disable: async (units, flags) => {
    for (const unit of units) disable(unit)
    return flags.has('now') ? each(stopUnit)(units, flags) : 0
  },
  kill: async (units, flags) => {
    const signal = flags.get('signal') ?? flags.get('s') ?? 'SIGTERM'
    for (const unit of units) killUnit(unit, signal)
    return 0
  },
  'is-active': isActive,
  'is-enabled': isEnabled,
  status,
  'list-units': listUnits,
  'daemon-reload': async () => 0,
  cat: async (units) => {
    for (const unit of units) console.log(readFileSync(join(unitDirectory, unit), 'utf8'))
    return 0
  },
}

/** `-s KILL`, `--signal=KILL`, `--now`; the rest are units. */
function readArguments(args: readonly string[]): { flags: Map<string, string>; rest: string[] } {
  const flags = new Map<string, string>()
  const rest: string[] = []
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? ''
    if (word === '-s') flags.set('s', args[++index] ?? '')
    else if (word.startsWith('-'))
      flags.set(word.replace(/^-+/, '').split('=')[0] ?? '', word.split('=')[1] ?? '')
    else rest.push(word)
  }
  return { flags, rest }
}

try {
  const { flags, rest } = readArguments(process.argv.slice(2))
  const [name = 'list-units', ...units] = rest
  const verb = verbs[name]
  if (verb === undefined) {
    throw new Fault(
      'invalid',
      `Unknown command verb ${name}; a lab's systemctl has ${Object.keys(verbs).join(', ')}.`,
    )
  }
  process.exitCode = (await verb(units.map(unitName), flags)) ?? 0
} catch (error) {
  console.error(isFault(error) ? describeError(error) : error)
  process.exitCode = 1
}
