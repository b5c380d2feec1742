/** Files and pages that tell the options of a program, from the same table that reads them. */
import { formatDefault } from '../../base/config/format.ts'
import { groupOf } from '../../base/config/names.ts'
import type { Option, Options } from '../../base/config/option.ts'
import type { ProgramName } from './programs.ts'
import { programs } from './programs.ts'

function sections(options: Options): [group: string, options: Option[]][] {
  const groups = Map.groupBy(Object.values(options) as Option[], groupOf)
  const rank = (group: string) => (group === 'DEFAULT' ? '' : group)
  const byName = (a: Option, b: Option) => a.name.localeCompare(b.name)
  return [...groups]
    .sort(([a], [b]) => rank(a).localeCompare(rank(b)))
    .map(([group, list]) => [group, list.sort(byName)])
}

/** A file in which every option stands as a comment, with its default. */
export function sampleFile(program: ProgramName): string {
  const parts = sections(programs[program].options).map(([group, options]) => {
    const settings = options.map((option) => {
      const help = commented(`${option.help} (${kindOf(option, ', ')})`)
      const earlier = option.deprecated === undefined ? [] : [`# Earlier: ${option.deprecated.join(', ')}`]
      return [...help, ...earlier, `#${option.name} = ${formatDefault(option)}`.trimEnd()].join('\n')
    })
    return [`[${group}]`, ...settings].join('\n\n')
  })
  return `# What ${program} reads and acts on, with its defaults.\n\n${parts.join('\n\n')}\n`
}

function kindOf({ type: { name, choices } }: Option, separator: string): string {
  if (choices === undefined) return name
  const values = choices.join(separator)
  return name === 'choice' ? values : `${name.replace('choice', '')}${values}`
}

function commented(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length > 98) lines.push(`# ${word}`)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

const pages: readonly (readonly [title: string, program: ProgramName])[] = [
  ['nova.conf', 'nova-api'],
  ['neutron.conf and ml2_conf.ini, for neutron-server', 'neutron-server'],
  ['neutron.conf and linuxbridge_agent.ini, for neutron-linuxbridge-agent', 'neutron-linuxbridge-agent'],
  ['neutron.conf and dhcp_agent.ini, for neutron-dhcp-agent', 'neutron-dhcp-agent'],
  ['neutron.conf and metadata_agent.ini, for neutron-metadata-agent', 'neutron-metadata-agent'],
  ['placement.conf', 'placement-api'],
  ['glance-api.conf', 'glance-api'],
  ['keystone.conf', 'keystone'],
]

/** `docs/configuration.md`. */
export function configurationPage(): string {
  const head = `# Configuration

Generated from the tables that read the files, by \`npm run docs\`; a test keeps it true.

The files are OpenStack's own, and every option that OpenStack has may stand in them. These are the ones that have an effect.
\`kilonova config lint FILE...\` checks files, \`kilonova config show --config-file FILE\` tells what they come to and where each
value is from, \`kilonova config sample PROGRAM\` writes a file of all of this. An option can also be set by the environment:
\`OS_<SECTION>__<OPTION>\`, such as \`OS_DEFAULT__DEBUG=true\`.
`
  return [head, ...pages.map(([title, program]) => `## ${title}\n\n${tables(program)}`)].join('\n')
}

function tables(program: ProgramName): string {
  return sections(programs[program].options)
    .map(([group, options]) => {
      const rows = options.map((option) => {
        const standard = formatDefault(option)
        const earlier = option.deprecated?.length
          ? ` Earlier: ${option.deprecated.map(code).join(', ')}.`
          : ''
        return `| ${code(option.name)} | ${cell(kindOf(option, ' | '))} | ${standard === '' ? '' : code(standard)} | ${cell(option.help)}${earlier} |`
      })
      return `### [${group}]\n\n| option | type | default | |\n|---|---|---|---|\n${rows.join('\n')}\n`
    })
    .join('\n')
}

const code = (text: string) => `\`${cell(text)}\``
const cell = (text: string) => text.replaceAll('|', '\\|')
