import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { writeIfChanged } from '../../linux/files.ts'
import { type ProgramName, programs } from '../config/programs.ts'
import { defaultStateDirectory } from '../up/settings.ts'
import { sudoersText, whyNotAsRoot } from './sudoers.ts'
import {
  cloudUnitText,
  groupsOf,
  needsHelper,
  targetName,
  targetText,
  unitNames,
  unitText,
  userOf,
} from './units.ts'

const home = resolve(import.meta.dirname, '../../..')

export interface UnitsOptions {
  directory: string
  /** The file that lets programs start their privileged helper. */
  sudoers: string
}

/**
 * Writes the units of the programs named, or of all with that of a cloud of one machine, their target, and what sudo
 * must allow; says which users they need that this host has not.
 */
export async function writeUnits(names: readonly string[], options: UnitsOptions): Promise<number> {
  const wanted = names.length === 0 ? (Object.keys(programs) as ProgramName[]) : names.map(programOf)
  mkdirSync(options.directory, { recursive: true })
  const units = new Map([[targetName, targetText()]])
  for (const program of wanted)
    units.set(`${unitNames[program]}.service`, unitText(program, home, groupsHere(program)))
  if (names.length === 0) units.set('kilonova.service', cloudUnitText(home, defaultStateDirectory()))
  let written = 0
  for (const [name, text] of units) {
    if (await writeIfChanged(join(options.directory, name), text)) written++
  }
  console.log(`${options.directory}: ${written} of ${units.size} units written anew.`)
  if (wanted.some(needsHelper)) writeSudoers(options.sudoers, home)
  if (wanted.includes('nova-compute') && !groupsHere('nova-compute').includes('libvirt')) {
    console.log(
      "This host has no group libvirt: nova-compute could not reach libvirt's socket. Where it is to run, install libvirt (libvirt-daemon-system), then run this again.",
    )
  }
  const missing = missingUsers(new Set(wanted.map(userOf)))
  if (missing.length > 0) {
    console.log('They run as users that this host has not. To make them:')
    for (const user of missing)
      console.log(`  useradd --system --home-dir /var/lib/${user} --shell /usr/sbin/nologin ${user}`)
  }
  if (written > 0) console.log('Have systemd read them: systemctl daemon-reload')
  return 0
}

/** All users that have a helper, so that a host's second writing takes nothing away from the first. */
const helpedUsers = [...new Set((Object.keys(programs) as ProgramName[]).filter(needsHelper).map(userOf))]

function writeSudoers(file: string, from: string): void {
  const reason = whyNotAsRoot(from)
  if (reason !== undefined) {
    console.log(
      `${file}: not written. Who changes what sudo runs is root: ${reason}. Put Kilonova where only root can write (/opt/kilonova), or have nova-compute and all agents of the host run as root (systemctl edit UNIT: User=root).`,
    )
    return
  }
  const text = sudoersText(from, helpedUsers)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return
  mkdirSync(dirname(file), { recursive: true })
  // sudo reads no file with a dot in its name, and none that others may write.
  writeFileSync(`${file}.new`, text, { mode: 0o440 })
  chmodSync(`${file}.new`, 0o440)
  renameSync(`${file}.new`, file)
  console.log(`${file}: ${helpedUsers.join(', ')} may start their privileged helper by sudo.`)
}

/** A program by its own name or by its unit's. */
function programOf(given: string): ProgramName {
  const name = given.replace(/\.service$/, '')
  const all = Object.keys(programs) as ProgramName[]
  const found = all.find((program) => program === name || unitNames[program] === name)
  if (found !== undefined) return found
  throw new Fault('not-found', `There is no program ${given}; there are ${all.join(', ')}.`)
}

function missingUsers(users: ReadonlySet<string>): string[] {
  const known = namesIn('/etc/passwd')
  return [...users].filter((user) => !known.has(user))
}

const groupsHere = (program: ProgramName): string[] => {
  const known = namesIn('/etc/group')
  return groupsOf(program).filter((group) => known.has(group))
}

const namesIn = (file: string): Set<string | undefined> =>
  new Set(
    readFileSync(file, 'utf8')
      .split('\n')
      .map((row) => row.split(':')[0]),
  )
