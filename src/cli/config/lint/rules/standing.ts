/** Options that OpenStack knows: under an earlier name, gone since, or without an effect in Kilonova. */
import type { Setting } from '../../../../base/config/ini.ts'
import { show, splitName } from '../../../../base/config/names.ts'
import type { Entry } from '../catalog.ts'
import type { Finding } from '../finding.ts'
import { atName, type LintFile, type Rule } from '../rule.ts'

export const standing: Rule = ({ files }) =>
  files.flatMap((file) => [
    ...file.meant.flatMap(({ setting, entry, isEarlier }) =>
      isEarlier ? [renamed(file, setting, entry)] : unused(file, setting, entry),
    ),
    ...twice(file),
  ])

function renamed(file: LintFile, setting: Setting, entry: Entry): Finding {
  const isHere = setting.group === entry.group
  const lines = file.lines.slice(setting.line - 1, setting.lastLine)
  return atName(file, setting, {
    rule: 'deprecated-name',
    severity: 'note',
    what: `${show(setting)} is now called ${isHere ? entry.name : show(entry)}.`,
    why: why(setting, entry),
    fix: `Write ${isHere ? entry.name : show(entry)}.`,
    edit: isHere
      ? {
          kind: 'replace',
          line: setting.line,
          column: setting.column,
          length: setting.name.length,
          text: entry.name,
        }
      : {
          kind: 'move',
          first: setting.line,
          last: setting.lastLine,
          section: entry.group,
          lines: [lines[0]!.replace(setting.name, entry.name), ...lines.slice(1)],
        },
  })
}

function why(setting: Setting, entry: Entry): string {
  if (setting.name === 'auth_uri') {
    return 'It works. It is where clients are sent for a token (www_authenticate_uri), not where this service asks for its own: that is auth_url.'
  }
  return entry.hasEffect
    ? 'The earlier name works, but OpenStack means to give it up.'
    : "The earlier name is read as today's, which has no effect here."
}

function unused(file: LintFile, setting: Setting, entry: Entry): Finding[] {
  if (entry.hasEffect || file.kind.programs.length === 0) return []
  const said = specially[`${entry.group}.${entry.name}`]?.(setting.value)
  if (said !== undefined) return [atName(file, setting, { rule: 'no-effect', ...said })]
  if (entry.removed !== undefined) {
    const since = entry.removed === '' ? 'no more' : `no more since ${entry.removed}`
    const instead = entry.instead === undefined ? undefined : show(splitName(entry.instead))
    return [
      atName(file, setting, {
        rule: 'removed-option',
        severity: instead === undefined ? 'note' : 'warning',
        what: `OpenStack has ${show(setting)} ${since}.`,
        why: 'It is accepted and has no effect here.',
        fix: instead === undefined ? 'It can be taken out.' : `Use ${instead}.`,
      }),
    ]
  }
  return [
    atName(file, setting, {
      rule: 'no-effect',
      severity: 'note',
      what: `${show(setting)} is accepted, and has no effect here.`,
      why: 'It is an option of OpenStack for something that Kilonova does not do, or does without being told.',
      fix: 'Nothing need be done.',
    }),
  ]
}

type Special = (
  value: string,
) => { severity: 'warning' | 'note'; what: string; why: string; fix: string } | undefined

/** Options without an effect of which something is to be said. */
const specially: Readonly<Record<string, Special>> = {
  'DEFAULT.firewall_driver': (value) =>
    /^(nova\.virt\.firewall\.)?NoopFirewallDriver$/.test(value)
      ? undefined
      : {
          severity: 'warning',
          what: 'firewall_driver asks nova for a firewall of its own.',
          why: "Security groups are the work of neutron's agent; nova has had no firewall since Ussuri.",
          fix: 'Write nova.virt.firewall.NoopFirewallDriver, or take it out.',
        },
  'DEFAULT.use_neutron': (value) =>
    isTrue(value)
      ? undefined
      : {
          severity: 'warning',
          what: 'use_neutron is off, which asks for nova-network.',
          why: "There is no nova-network: networks are neutron's whatever stands here.",
          fix: 'Write use_neutron = true, or take it out.',
        },
}

function isTrue(value: string): boolean {
  return /^(true|1|yes|on)$/i.test(value)
}

function twice(file: LintFile): Finding[] {
  return file.meant.flatMap(({ setting, entry }, index) => {
    if (entry.type.multiple) return []
    const before = file.meant.slice(0, index).findLast((other) => other.entry === entry)
    if (before === undefined || before.setting.value === setting.value) return []
    if (before.setting.name !== setting.name) return []
    return atName(file, setting, {
      rule: 'given-twice',
      severity: 'warning',
      what: `${show(setting)} stands in line ${before.setting.line} already, with another value.`,
      why: 'The last one counts.',
      fix: 'Take one of them out.',
    })
  })
}
