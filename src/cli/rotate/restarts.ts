/** Which programs read the files that changed, and whether a signal has them do so. */

import { loadConfig } from '../../base/config/load.ts'
import type { Config, Options } from '../../base/config/option.ts'
import { type Program, type ProgramName, programs, sourcesOf } from '../config/programs.ts'
import { daemons } from '../daemons/table.ts'
import { unitNames } from '../units/units.ts'

/** Of a controller; a program with workers reads its files again at SIGHUP without losing a request. */
export function restartCommands(changed: readonly string[]): string[] {
  const names = (Object.keys(programs) as ProgramName[]).filter(
    (name) => name !== 'nova-compute' && name !== 'nova-api-metadata' && reads(name, changed),
  )
  const [reload, restart] = [true, false].map((wanted) =>
    names.filter((name) => hasWorkers(name) === wanted).map((name) => unitNames[name]),
  ) as [string[], string[]]
  return [
    ...(reload.length === 0 ? [] : [`systemctl reload ${reload.join(' ')}`]),
    ...(restart.length === 0 ? [] : [`systemctl restart ${restart.join(' ')}`]),
  ]
}

function reads(name: ProgramName, changed: readonly string[]): boolean {
  const { project, also = [] }: Program = programs[name]
  const own = [`/etc/${project}/${project}.conf`, `/etc/${project}/${name}.conf`, ...also]
  return changed.some((path) => own.includes(path))
}

function hasWorkers(name: ProgramName): boolean {
  const count = daemons[name].workers as ((config: Config<Options>) => number) | undefined
  if (count === undefined) return false
  const { config } = loadConfig(programs[name].options as Options, sourcesOf(name))
  return count(config) > 0
}
