import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { writeIfChanged } from '../../linux/files.ts'
import { type ProgramName, programs } from '../config/programs.ts'
import { defaultStateDirectory } from '../up/settings.ts'
import { cloudUnitText, targetName, targetText, unitNames, unitText, userOf } from './units.ts'

const home = resolve(import.meta.dirname, '../../..')

/**
 * Writes the units of the programs named, or of all with that of a cloud of one machine, and their target, and says
 * which users they need that this host has not.
 */
export async function writeUnits(names: readonly string[], options: { directory: string }): Promise<number> {
  const wanted = names.length === 0 ? (Object.keys(programs) as ProgramName[]) : names.map(programOf)
  mkdirSync(options.directory, { recursive: true })
  const units = new Map([[targetName, targetText()]])
  for (const program of wanted) units.set(`${unitNames[program]}.service`, unitText(program, home))
  if (names.length === 0) units.set('kilonova.service', cloudUnitText(home, defaultStateDirectory()))
  let written = 0
  for (const [name, text] of units) {
    if (await writeIfChanged(join(options.directory, name), text)) written++
  }
  console.log(`${options.directory}: ${written} of ${units.size} units written anew.`)
  const missing = missingUsers(new Set(wanted.map(userOf)))
  if (missing.length > 0) {
    console.log('They run as users that this host has not. To make them:')
    for (const user of missing)
      console.log(`  useradd --system --home-dir /var/lib/${user} --shell /usr/sbin/nologin ${user}`)
  }
  if (written > 0) console.log('Have systemd read them: systemctl daemon-reload')
  return 0
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
  const known = new Set(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((row) => row.split(':')[0]),
  )
  return [...users].filter((user) => !known.has(user))
}
