/** Whether programs that do not run as root can start their privileged helper. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { helperCommand } from '../../../linux/rootwrap/client.ts'
import type { Project } from '../../../linux/rootwrap/protocol.ts'
import { parseUnitFile } from '../../lab/systemctl/unit-file.ts'
import { whyNotAsRoot } from '../../units/sudoers.ts'
import { needsHelper, unitNames, userOf } from '../../units/units.ts'
import { inPath } from '../../up/packages.ts'
import { type Finding, failure, ok } from '../finding.ts'
import { type ProgramHere, textOf, whereOf } from '../programs-here.ts'

const home = resolve(import.meta.dirname, '../../../..')

/** What is asked of the host; tests have another. */
export interface HelperWorld {
  /** The user of a program's unit; undefined where it has none, or runs as root. */
  userOf(program: ProgramHere): string | undefined
  hasSudo(): boolean
  /** Whether sudo lets the user run a command as root without a password. */
  allows(user: string, command: readonly string[]): boolean
  /** Why what sudo is to run is not safe. */
  whyNot(): string | undefined
}

const thisHost: HelperWorld = {
  userOf({ name }) {
    const file = ['/etc/systemd/system', '/usr/lib/systemd/system']
      .map((directory) => `${directory}/${unitNames[name]}.service`)
      .find((path) => existsSync(path))
    const user = file && parseUnitFile(readFileSync(file, 'utf8')).last('Service', 'User')
    return user === 'root' ? undefined : user
  },
  hasSudo: () => inPath('sudo').some((file) => existsSync(file)),
  allows(user, command) {
    const whom = process.getuid?.() === 0 ? ['-U', user] : []
    return spawnSync('sudo', ['-n', '-l', ...whom, ...command], { stdio: 'ignore' }).status === 0
  },
  whyNot: () => whyNotAsRoot(home),
}

/** One finding for each user that has a helper; none where its programs run as root. */
export function checkRootHelper(programs: readonly ProgramHere[], world: HelperWorld = thisHost): Finding[] {
  const users = new Map<string, ProgramHere>()
  for (const program of programs.filter(({ name }) => needsHelper(name))) {
    const user = world.userOf(program)
    if (user !== undefined) users.set(user, program)
  }
  return [...users].map(([user, program]) => checkUser(user, program, world))
}

function checkUser(user: string, program: ProgramHere, world: HelperWorld): Finding {
  const subject = `root helper of ${user}`
  const key = textOf(program.config, 'rootHelperDaemon') === undefined ? 'rootHelper' : 'rootHelperDaemon'
  const project = userOf(program.name) as Project
  const [first = '', ...rest] = helperCommand(textOf(program.config, key) ?? 'sudo', project)
  if (basename(first) !== 'sudo')
    return ok(subject, `is started by ${first} (${whereOf(program, key)}), which is not looked into`)
  if (!world.hasSudo())
    return failure(
      subject,
      'sudo is not installed',
      'Install sudo, or name another command in [agent] root_helper.',
    )
  const reason = world.whyNot()
  if (reason !== undefined)
    return failure(
      subject,
      `who changes what sudo runs is root: ${reason}`,
      'Put Kilonova where only root can write, and run kilonova units from there.',
    )
  const command = rest.filter((word) => word !== '-n')
  if (!world.allows(user, command))
    return failure(
      subject,
      `sudo does not let ${user} run ${command.join(' ')}, so ${program.name} can change nothing on this host`,
      'kilonova units (as root) writes /etc/sudoers.d/kilonova.',
    )
  return ok(subject, 'can be started by sudo')
}
