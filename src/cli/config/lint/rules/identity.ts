/** How services reach identity and prove who they are. */
import type { Finding } from '../finding.ts'
import { atName, atValue, type LintFile, type Rule } from '../rule.ts'

export const identity: Rule = ({ files }) =>
  files.flatMap((file) => [
    ...adminPorts(file),
    ...domainNames(file),
    ...incomplete(file),
    ...publicSides(file),
  ])

function adminPorts(file: LintFile): Finding[] {
  return file.meant
    .filter(({ setting }) => /:35357(\/|$)/.test(setting.value))
    .map(({ setting }) =>
      atValue(
        file,
        setting,
        {
          rule: 'admin-port',
          severity: 'note',
          what: `${setting.name} goes to port 35357.`,
          why: "It was the port for administrators of the API before v3; today's API is one, on port 5000. Kilonova answers on both.",
          fix: 'Write port 5000, which every keystone listens on.',
        },
        { from: setting.value.indexOf('35357'), length: 5 },
      ),
    )
}

function domainNames(file: LintFile): Finding[] {
  const [first] = file.meant.filter(
    ({ setting, entry }) => /_domain_name$/.test(entry.name) && setting.value === 'default',
  )
  if (first === undefined) return []
  return [
    atValue(file, first.setting, {
      rule: 'domain-name',
      severity: 'note',
      what: `${first.setting.name} = default: the domain is named Default; its id is default.`,
      why: 'It works: identity takes the names of domains in any case, as keystone does on MariaDB. Keystone on PostgreSQL does not.',
      fix: `Write Default, or ${first.setting.name.replace('name', 'id')} = default.`,
    }),
  ]
}

/** What a section must say so that its user can get a token. */
function incomplete(file: LintFile): Finding[] {
  const types = file.meant.filter(({ entry }) => entry.name === 'auth_type')
  return types.flatMap(({ setting, entry: { group } }) => {
    if (!['password', 'v3password'].includes(setting.value)) return []
    const own = file.meant.filter(({ entry, setting }) => entry.group === group && setting.value !== '')
    const given = new Set(own.map(({ entry }) => entry.name))
    if (given.has('auth_section')) return []
    const wants = [
      ['auth_url'],
      ['username', 'user_id'],
      ['password'],
      ['project_name', 'project_id', 'system_scope', 'domain_id', 'domain_name'],
      ...(given.has('user_id') ? [] : [['user_domain_name', 'user_domain_id', ...defaults]]),
      ...(given.has('project_name') ? [['project_domain_name', 'project_domain_id', ...defaults]] : []),
    ]
    const missing = wants.filter((names) => !names.some((name) => given.has(name)))
    if (missing.length === 0) return []
    const list = missing.map(([name]) => name).join(', ')
    return atName(file, setting, {
      rule: 'incomplete-user',
      severity: 'error',
      what: `[${group}] names no ${list}.`,
      why: 'Identity needs all of it to give the service a token.',
      fix: `Write ${list} under [${group}].`,
    })
  })
}

const defaults = ['default_domain_name', 'default_domain_id']

function publicSides(file: LintFile): Finding[] {
  const found = file.meant.find(({ entry }) => entry.name === 'www_authenticate_uri')
  if (found === undefined || !/:35357(\/|$)/.test(found.setting.value)) return []
  return [
    atValue(file, found.setting, {
      rule: 'public-identity',
      severity: 'warning',
      what: `${found.setting.name} sends clients to the port of administrators.`,
      why: 'It is what a client without a token is told: it should be the address that users reach.',
      fix: 'Write the public address of identity, on port 5000.',
    }),
  ]
}
