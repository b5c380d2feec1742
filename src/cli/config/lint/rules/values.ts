/** Values that are not of their option's type, and comments that became part of a value. */
import type { Setting } from '../../../../base/config/ini.ts'
import { fullName, groupOf, show, splitName } from '../../../../base/config/names.ts'
import { describeError } from '../../../../base/errors.ts'
import type { Entry } from '../catalog.ts'
import type { Finding } from '../finding.ts'
import { nearest } from '../nearest.ts'
import { atValue, type LintFile, type Rule } from '../rule.ts'

export const values: Rule = ({ files }) =>
  files.flatMap((file) => {
    const entries = new Map(file.meant.map(({ setting, entry }) => [setting, entry]))
    return file.ini.settings.flatMap((setting) => {
      const entry = entries.get(setting)
      const comment = commentIn(setting.value)
      const rest = comment === undefined ? setting.value : setting.value.slice(0, comment).trimEnd()
      return [
        ...(comment === undefined ? [] : [commentFinding(file, setting, comment, rest)]),
        ...(entry === undefined
          ? []
          : [...badReference(file, setting, rest), ...badType(file, setting, entry, rest)]),
      ]
    })
  })

/** Where a comment begins that was put behind a value; undefined when there is none. */
export function commentIn(value: string): number | undefined {
  const found = /(^|\s)(\/\/|#)(?=\s|$|[^\x21-\x7e]|\S+\s|[A-Za-z])/.exec(value.split('\n')[0]!)
  return found === null ? undefined : found.index + found[1]!.length
}

function commentFinding(file: LintFile, setting: Setting, at: number, rest: string): Finding {
  const text = file.lines[setting.line - 1]!
  const from = setting.valueColumn - 1 + at
  const kept = text.slice(0, from).trimEnd()
  return atValue(
    file,
    setting,
    {
      rule: 'comment-in-value',
      severity: 'error',
      what: `The comment is part of the value of ${setting.name}.`,
      why: `OpenStack knows comments only where # or ; stands in the first column, so the value is '${setting.value}'.`,
      fix: `Write ${rest === '' ? `${setting.name} = (nothing)` : `${setting.name} = ${rest}`}, and the comment on a line of its own.`,
      edit: {
        kind: 'replace',
        line: setting.line,
        column: kept.length + 1,
        length: text.length - kept.length,
        text: '',
      },
    },
    { from: at, length: setting.value.split('\n')[0]!.length - at },
  )
}

function badReference(file: LintFile, setting: Setting, value: string): Finding[] {
  const { current } = file.catalog
  const references = value.matchAll(/\\\$|\$\$|\$\{([_a-z][._a-z0-9]*)\}|\$([_a-z][._a-z0-9]*)/gi)
  return [...references].flatMap(([found, braced, plain]) => {
    const name = braced ?? plain
    if (name === undefined) return []
    const keys = [splitName(name, groupOf(setting)), splitName(name)].map(fullName)
    const given = new Set(file.ini.settings.map(fullName))
    if (keys.some((key) => current.has(key) || given.has(key))) return []
    const near = nearest(
      name,
      [...current.values()].map((entry) => entry.name),
    )
    return [
      atValue(file, setting, {
        rule: 'bad-reference',
        severity: 'error',
        what: `${setting.name} refers to ${found}, which is no option.`,
        why: 'A dollar and a name stand for the value of the option of that name.',
        fix: near === undefined ? 'A dollar that is only a dollar is written $$.' : `Write $${near}.`,
      }),
    ]
  })
}

function badType(file: LintFile, setting: Setting, entry: Entry, value: string): Finding[] {
  // What a reference becomes is known only when the whole is loaded.
  if (value.includes('$')) return []
  try {
    entry.type.parse(value)
    return []
  } catch (error) {
    const shown = entry.isSecret ? 'The value' : `'${value}'`
    const reason = describeError(error)
    const choices = /is none of (.*)$/.exec(reason)?.[1]?.split(', ') ?? []
    const near = nearest(value, choices)
    const standard =
      entry.default === null || entry.isSecret ? '' : `; the default is ${entry.default || 'empty'}`
    return [
      atValue(file, setting, {
        rule: 'bad-value',
        severity: 'error',
        what: `${show(entry)} must be of type ${entry.type.name}: ${shown} ${reason}.`,
        why: entry.hasEffect
          ? 'No program starts with it.'
          : 'OpenStack refuses it where it reads the option; here the option has no effect.',
        fix: near === undefined ? `Write a ${entry.type.name}${standard}.` : `Write ${near}.`,
      }),
    ]
  }
}
