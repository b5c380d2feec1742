/** Options and sections that OpenStack does not know: it says nothing of them, and their defaults hold. */
import type { Setting } from '../../../../base/config/ini.ts'
import { fullName, show } from '../../../../base/config/names.ts'
import type { Entry } from '../catalog.ts'
import type { Finding } from '../finding.ts'
import { nearest } from '../nearest.ts'
import { atName, type LintContext, type LintFile, type Rule } from '../rule.ts'

export const names: Rule = (context) =>
  context.files.flatMap((file) => {
    const known = new Set(file.meant.map(({ setting }) => setting))
    const unknown = file.ini.settings.filter((setting) => !known.has(setting))
    const sections = badSections(context, file)
    const bad = new Set(sections.map(({ section }) => section))
    return [
      ...sections.map(({ finding }) => finding),
      ...unknown.filter(({ group }) => !bad.has(group) && !isFree(file, group)).map(unknownIn(context, file)),
    ]
  })

/** Sections that operators name themselves. */
const free = [/^neutron_physnet_/, /^mdev_/, /privsep|privileged/, /^vif_plug_/, /^oslo_limit/, /^os_glance_/]

function isFree(file: LintFile, group: string): boolean {
  if (free.some((pattern) => pattern.test(group))) return true
  // glance: `enabled_backends = fast:file, cheap:s3` names sections.
  const backends = file.ini.settings.filter(({ name }) => name === 'enabled_backends')
  return backends.some(({ value }) => value.split(',').some((one) => one.trim().startsWith(`${group}:`)))
}

function badSections(context: LintContext, file: LintFile): { section: string; finding: Finding }[] {
  return file.ini.sections.flatMap(({ name, line }) => {
    const isKnown = file.catalog.sections.has(name === 'DEFAULT' ? name : name.toLowerCase())
    if (isKnown || isFree(file, name)) return []
    const said = sectionSaid(context, file, name)
    if (said === undefined) return []
    const finding = { path: file.path, line, column: 1, length: name.length + 2, ...said }
    if (said.meant === undefined) return { section: name, finding }
    const edit = {
      kind: 'replace' as const,
      line,
      column: 1,
      length: name.length + 2,
      text: `[${said.meant}]`,
    }
    return { section: name, finding: { ...finding, edit } }
  })
}

function sectionSaid({ catalogs }: LintContext, file: LintFile, name: string) {
  const settings = file.ini.settings.filter(({ group }) => group === name)
  const why = `${file.kind.project} reads nothing of it: all that stands in it has no effect.`
  const meant =
    name.toLowerCase().trim() === 'default' ? 'DEFAULT' : nearest(name.trim(), file.catalog.sections)
  if (meant !== undefined) {
    const what = `[${name}] is no section of ${file.kind.name}.`
    return { rule: 'unknown-section', severity: 'error' as const, what, why, fix: `Write [${meant}].`, meant }
  }
  // Of its options, some may be at home elsewhere: that tells more than that the section is unknown.
  const isOfOther = catalogs().some(({ sections }) => sections.has(name))
  if (isOfOther || settings.some((setting) => homes(file, setting).length > 0)) return undefined
  return {
    rule: 'unknown-section',
    severity: 'warning' as const,
    what: `[${name}] is no section of ${file.kind.name} that OpenStack has had since Pike.`,
    why,
    fix: 'Take it out, or look where it came from: it may be of another program or a plug-in.',
    meant: undefined,
  }
}

/** The options of this name in other sections of the same file. */
function homes(file: LintFile, setting: Setting): Entry[] {
  const { current, earlier } = file.catalog
  const found = new Set<Entry>()
  for (const [name, entry] of [...current, ...earlier]) {
    if (name.slice(name.indexOf('.') + 1) === setting.name && entry.removed === undefined) found.add(entry)
  }
  const [effective, others] = [[...found].filter((entry) => entry.hasEffect), [...found]]
  return effective.length > 0 ? effective : others
}

const unknownIn =
  (context: LintContext, file: LintFile) =>
  (setting: Setting): Finding => {
    const { project } = file.kind
    const here = homes(file, setting)
    if (here.length > 0) return misplaced(file, setting, chosen(setting, here))
    const near = nearestEntry(file, setting)
    const what = `${show(setting)} is no option of ${project}.`
    if (near !== undefined) {
      const holds =
        near.default === null ? 'It has no default.' : `Its default holds: ${near.default || 'nothing'}.`
      const place = near.group === setting.group ? near.name : show(near)
      const why = `${project} passes over it without a word, and ${near.name} stays unset. ${near.isSecret ? '' : holds}`
      const edit = {
        kind: 'replace' as const,
        line: setting.line,
        column: setting.column,
        length: setting.name.length,
        text: near.name,
      }
      return atName(file, setting, {
        rule: 'misspelt-option',
        severity: 'error',
        what,
        why: why.trim(),
        fix: `Write ${place}.`,
        ...(near.group === setting.group ? { edit } : {}),
      })
    }
    const other = context.catalogs().find(({ current }) => current.has(fullName(setting)))
    if (other !== undefined) {
      return atName(file, setting, {
        rule: 'wrong-file',
        severity: 'error',
        what: `${show(setting)} is an option of ${other.kind.name}, not of ${file.kind.name}.`,
        why: `The program that it is for does not read this file, and ${project} passes over it.`,
        fix: `Move it to [${setting.group}] of ${other.kind.name}.`,
      })
    }
    return atName(file, setting, {
      rule: 'unknown-option',
      severity: 'warning',
      what,
      why: 'No release from Pike to 2026.1 has it, and no option has a name that is near: it has no effect.',
      fix: 'Take it out, or look where it came from: it may be of another program or a plug-in.',
    })
  }

// A database URL tells which database it is for.
function chosen(setting: Setting, entries: readonly Entry[]): readonly Entry[] {
  const database = /^[\w+]+:\/\/.*\/(\w+)/.exec(setting.value)?.[1]
  if (setting.name !== 'connection' || database === undefined) return entries
  const section = database.endsWith('_api') ? 'api_database' : 'database'
  const fitting = entries.filter(({ group }) => group === section)
  return fitting.length > 0 ? fitting : entries
}

function misplaced(file: LintFile, setting: Setting, entries: readonly Entry[]): Finding {
  const places = entries.map((entry) => (entry.name === setting.name ? `[${entry.group}]` : show(entry)))
  const [only] = entries.length === 1 ? entries : []
  const lines = file.lines.slice(setting.line - 1, setting.lastLine)
  const edit = only && {
    kind: 'move' as const,
    first: setting.line,
    last: setting.lastLine,
    section: only.group,
    lines:
      only.name === setting.name ? lines : [lines[0]!.replace(setting.name, only.name), ...lines.slice(1)],
  }
  return atName(file, setting, {
    rule: 'wrong-section',
    severity: 'error',
    what: `${setting.name} stands in [${setting.group}], but belongs to ${places.join(' or ')}.`,
    why: `${file.kind.project} looks for it there only: here it has no effect, and nobody says so.`,
    fix: `Move it to ${places.join(' or ')}.`,
    ...(edit === undefined ? {} : { edit }),
  })
}

function nearestEntry(file: LintFile, setting: Setting): Entry | undefined {
  const { current, earlier, auth } = file.catalog
  const entries = new Map([...earlier, ...current])
  const own = [...entries].filter(([, entry]) => entry.group === setting.group)
  const users = current.has(fullName({ group: setting.group, name: 'auth_type' })) ? [...auth] : []
  const inSection = new Map([
    ...own.map(([name, entry]) => [name.slice(name.indexOf('.') + 1), entry] as const),
    ...users.map(([name, entry]) => [name, { ...entry, group: setting.group }] as const),
  ])
  const near = nearest(setting.name, inSection.keys())
  if (near !== undefined) return inSection.get(near)
  if (setting.name.length < 6) return undefined
  const anywhere = new Map([...entries].map(([name, entry]) => [name.slice(name.indexOf('.') + 1), entry]))
  const far = nearest(setting.name, anywhere.keys())
  return far === undefined ? undefined : anywhere.get(far)
}
