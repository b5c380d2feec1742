/** Database URLs: where none may stand, where one is missing, and names that look like another. */
import type { Setting } from '../../../../base/config/ini.ts'
import type { ProgramName } from '../../programs.ts'
import type { Finding } from '../finding.ts'
import { nearest } from '../nearest.ts'
import {
  allSettings,
  atName,
  atValue,
  type LintContext,
  type LintFile,
  lastSetting,
  ofKind,
  type Rule,
} from '../rule.ts'

export const databases: Rule = (context) => [
  ...onComputeHost(context),
  ...missing(context),
  ...urls(context).flatMap(({ file, setting }) => misnamed(file, setting)),
  ...sameTwice(context),
]

const sections = ['api_database', 'database', 'placement_database'] as const

const urls = ({ files }: LintContext) =>
  sections.flatMap((group) => allSettings(files, { group, name: 'connection' }))

function onComputeHost(context: LintContext): Finding[] {
  const { role } = context
  if (role?.name !== 'compute') return []
  return urls(context).map(({ file, setting }) =>
    atName(file, setting, {
      rule: 'database-on-compute-host',
      severity: role.isGuess ? 'warning' : 'error',
      what: `A database URL stands in the configuration of a compute host${role.isGuess ? ', as this seems to be' : ''}.`,
      why: 'Agents never open the database. Whoever breaks out of a guest would find the password of all servers and networks here.',
      fix: 'Take it out. The agents reach the database through conductor and neutron-server, over messages.',
      ...(role.isGuess
        ? {}
        : { edit: { kind: 'comment out' as const, first: setting.line, last: setting.lastLine } }),
    }),
  )
}

/** What a program cannot start without, with the file that its section belongs in. */
const needed: { readonly [P in ProgramName]?: readonly (typeof sections)[number][] } = {
  'nova-api': ['api_database'],
  'nova-api-metadata': ['api_database'],
  'nova-conductor': ['api_database', 'database'],
  'nova-scheduler': ['api_database'],
  'neutron-server': ['database'],
  'placement-api': ['placement_database'],
  keystone: ['database'],
  'glance-api': ['database'],
}

function missing(context: LintContext): Finding[] {
  const { program, files } = context
  if (program === undefined) return []
  const [first] = files
  if (first === undefined) return []
  return (needed[program] ?? []).flatMap((group) => {
    const found = allSettings(files, { group, name: 'connection' })
    if (found.some(({ setting }) => setting.value !== '')) return []
    const strays = files.flatMap((file) =>
      file.ini.settings.filter(({ name }) => name === 'connection').map((setting) => ({ file, setting })),
    )
    const [stray] = strays.filter(({ setting }) => !sections.some((section) => section === setting.group))
    const hint =
      stray === undefined
        ? ''
        : ` A connection stands in [${stray.setting.group}], ${stray.file.path}:${stray.setting.line}, where it has no effect.`
    const ofCell = program === 'nova-conductor' && group === 'api_database'
    return {
      rule: 'no-database',
      severity: ofCell ? ('warning' as const) : ('error' as const),
      path: first.path,
      line: 1,
      column: 1,
      length: 1,
      what: `${program} has no database: [${group}] connection is not set.`,
      why: `${ofCell ? 'Such a conductor serves the hosts of its cell, and builds and deletes no servers. ' : ''}It was looked for in ${files.map(({ path }) => path).join(', ')}.${hint}`,
      fix: `Write connection = mysql+pymysql://USER:PASSWORD@HOST/NAME under [${group}].`,
    }
  })
}

const usualNames = ['nova', 'nova_api', 'nova_cell0', 'neutron', 'keystone', 'glance', 'placement']

/** The usual name that this one was probably meant to be: `nova_ce110` for `nova_cell0`. */
export function usualDatabaseName(name: string): string | undefined {
  if (usualNames.includes(name) || /^nova_cell\d+$/.test(name)) return undefined
  // 1 and l, 0 and O look alike in many fonts.
  const alike = (text: string) => text.toLowerCase().replace(/[1i]/g, 'l').replace(/o/g, '0')
  return usualNames.find((usual) => alike(usual) === alike(name)) ?? nearest(name, usualNames.slice(1))
}

function misnamed(file: LintFile, setting: Setting): Finding[] {
  const found = /^([\w+]+:\/\/[^/]*\/)(\w+)/.exec(setting.value)
  const usual = found === null ? undefined : usualDatabaseName(found[2]!)
  if (found === null || usual === undefined) return []
  return [
    atValue(
      file,
      setting,
      {
        rule: 'database-name',
        severity: 'warning',
        what: `The database is called ${found[2]}, which looks like ${usual}.`,
        why: 'Rights that were granted on the one do not hold for the other: access is denied when the tables are made.',
        fix: `Write ${usual}, if that is the name of the database and of its GRANTs.`,
      },
      { from: found[1]!.length, length: found[2]!.length },
    ),
  ]
}

function sameTwice({ files }: LintContext): Finding[] {
  const nova = ofKind(files, 'nova.conf')
  const api = lastSetting(nova, { group: 'api_database', name: 'connection' })
  const cell = lastSetting(nova, { group: 'database', name: 'connection' })
  if (api === undefined || cell === undefined || api.setting.value !== cell.setting.value) return []
  if (api.setting.value === '' || api.file !== cell.file) return []
  return [
    atValue(cell.file, cell.setting, {
      rule: 'same-database',
      severity: 'error',
      what: '[database] and [api_database] name the same database.',
      why: "The API's tables and a cell's are two schemas, some with tables of the same name.",
      fix: 'Give each its own: nova_api and nova.',
    }),
  ]
}
