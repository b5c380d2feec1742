/** Passwords and shared secrets: those that must be the same and are not, and those that anybody would try first. */
import type { Setting } from '../../../../base/config/ini.ts'
import { show } from '../../../../base/config/names.ts'
import type { Finding } from '../finding.ts'
import {
  allSettings,
  atName,
  atValue,
  type LintContext,
  type LintFile,
  lastSetting,
  ofKind,
  placeOf,
  type Rule,
} from '../rule.ts'

export const secrets: Rule = (context) => [
  ...sharedSecret(context),
  ...brokers(context),
  ...passwords(context),
  ...weak(context),
]

/** One secret in one place: who it is of, so that two of the same owner can be compared. */
interface Secret {
  file: LintFile
  setting: Setting
  value: string
  /** The user it belongs to; undefined for a secret that two services share. */
  user: string | undefined
}

const sharedSecretName = 'metadata_proxy_shared_secret'

function sharedSecret({ files }: LintContext): Finding[] {
  const nova = lastSetting(ofKind(files, 'nova.conf'), { group: 'neutron', name: sharedSecretName })
  const agents = ofKind(files, 'metadata_agent.ini', 'neutron.conf')
  const agent = lastSetting(agents, { name: sharedSecretName })
  const found: Finding[] = []
  if (nova !== undefined && agent !== undefined && nova.setting.value !== agent.setting.value) {
    found.push(
      atValue(agent.file, agent.setting, {
        rule: 'secrets-differ',
        severity: 'error',
        what: `${sharedSecretName} is not the one of ${placeOf(nova.file, nova.setting)}.`,
        why: 'nova answers 403 to what the agent signed with another secret: no guest gets its metadata.',
        fix: 'Write the same in both files.',
      }),
    )
  }
  const proxy = lastSetting(ofKind(files, 'nova.conf'), { group: 'neutron', name: 'service_metadata_proxy' })
  if (nova !== undefined && nova.setting.value !== '' && proxy === undefined) {
    found.push(
      atName(nova.file, nova.setting, {
        rule: 'metadata-proxy-off',
        severity: 'warning',
        what: `There is a ${sharedSecretName}, but service_metadata_proxy is not set, which is off.`,
        why: 'What the metadata agent signed is not looked at then: guests behind it are unknown and get no metadata.',
        fix: 'Write service_metadata_proxy = true under [neutron].',
      }),
    )
  }
  const isOn = /^(true|1|yes|on)$/i.test(proxy?.setting.value ?? '')
  if (proxy !== undefined && isOn && (nova?.setting.value ?? '') === '') {
    found.push(
      atValue(proxy.file, proxy.setting, {
        rule: 'no-shared-secret',
        severity: 'error',
        what: `service_metadata_proxy is on, but there is no ${sharedSecretName}.`,
        why: "Nothing then shows that a request for a server's metadata comes from the agent: it is refused.",
        fix: `Write ${sharedSecretName} under [neutron], the same as in metadata_agent.ini.`,
      }),
    )
  }
  return found
}

function brokers({ files }: LintContext): Finding[] {
  const [first, ...others] = allSettings(files, { name: 'transport_url' })
  if (first === undefined) return []
  const place = placeOf(first.file, first.setting)
  return others
    .filter(({ setting, file }) => file !== first.file && setting.value !== first.setting.value)
    .map(({ file, setting }) => {
      const [one, two] = [parts(first.setting.value), parts(setting.value)]
      const differs =
        one.place !== two.place
          ? 'another broker'
          : one.user !== two.user
            ? 'another user'
            : 'another password'
      return atValue(file, setting, {
        rule: 'transport-urls-differ',
        severity: 'warning',
        what: `transport_url names ${differs} than ${place}.`,
        why: 'Services that are to hear each other need the same broker and virtual host; only cells of nova have their own.',
        fix: 'Write the same in both files, unless they are of different cells.',
      })
    })
}

const parts = (url: string) => {
  const [, user = '', place = ''] = /^[\w+]+:\/\/(?:([^:@]*)[^@]*@)?(.*)$/.exec(url) ?? []
  return { user, place }
}

/** Passwords of service users, of the broker's and of the databases', each with its user. */
function userSecrets(files: readonly LintFile[]): Secret[] {
  return files.flatMap((file) =>
    file.meant.flatMap(({ setting, entry }): Secret[] => {
      if (entry.name === 'password') {
        const name = file.meant.findLast(
          (other) => other.entry.group === entry.group && other.entry.name === 'username',
        )
        return [{ file, setting, value: setting.value, user: name?.setting.value ?? '' }]
      }
      const url = /^[\w+]+:\/\/([^:@/]*):([^@/]*)@/.exec(setting.value)
      return url === null ? [] : [{ file, setting, value: decodeURIComponent(url[2]!), user: url[1]! }]
    }),
  )
}

function passwords({ files }: LintContext): Finding[] {
  const first = new Map<string, Secret>()
  return userSecrets(files).flatMap((secret) => {
    // A URL's user is one of the broker or database, not of identity.
    if (secret.setting.name !== 'password' || !secret.user) return []
    const before = first.get(secret.user)
    if (before === undefined) first.set(secret.user, secret)
    if (before === undefined || before.value === secret.value) return []
    return atValue(secret.file, secret.setting, {
      rule: 'secrets-differ',
      severity: 'error',
      what: `The password of ${secret.user} is not the one of ${placeOf(before.file, before.setting)}.`,
      why: 'A user of identity has one password: one of the two services is refused (401).',
      fix: 'Write the right one in both places.',
    })
  })
}

const guessable = [
  'password',
  'passwd',
  'secret',
  'admin',
  'changeme',
  'openstack',
  'root',
  'guest',
  '123456',
  'test',
]
const placeholder = /^[A-Z]+(_[A-Z]+)*_(PASS|PASSWORD|DBPASS|SECRET)$|^METADATA_SECRET$|^(YOUR|CHANGE)_?\w*$/

function weakness({
  value,
  user,
}: Pick<Secret, 'value' | 'user'>): { what: string; isPlaceholder: boolean } | undefined {
  if (value === '' || value.includes('$')) return undefined
  if (placeholder.test(value))
    return { what: 'is the placeholder of an installation guide', isPlaceholder: true }
  if (user !== undefined && value.toLowerCase() === user.toLowerCase()) {
    return { what: "is the user's name", isPlaceholder: false }
  }
  if (guessable.includes(value.toLowerCase()))
    return { what: 'is one that is tried first', isPlaceholder: false }
  if (user === undefined && ['nova', 'neutron', 'metadata'].includes(value)) {
    return { what: 'is the name of a service', isPlaceholder: false }
  }
  return value.length < 8 ? { what: 'is shorter than 8 characters', isPlaceholder: false } : undefined
}

function weak({ files }: LintContext): Finding[] {
  const shared = allSettings(files, { group: 'neutron', name: sharedSecretName })
    .concat(allSettings(files, { name: sharedSecretName }))
    .map(({ file, setting }): Secret => ({ file, setting, value: setting.value, user: undefined }))
  const all = [...userSecrets(files), ...shared]
  const groups = Map.groupBy(all, ({ value, user }) => JSON.stringify([user ?? '', value]))
  return [...groups.values()].flatMap((same) => {
    const [first, ...others] = same
    const found = weakness(first!)
    if (found === undefined) return []
    const owner = first!.user === undefined ? show(first!.setting) : `The password of ${first!.user}`
    const also =
      others.length === 0
        ? ''
        : ` So it does in ${others.map((one) => placeOf(one.file, one.setting)).join(', ')}.`
    const said = {
      rule: 'weak-secret',
      severity: found.isPlaceholder ? ('error' as const) : ('warning' as const),
      what: `${owner} ${found.what}.`,
      why: `Whoever reaches the port needs no other key.${also}`,
      fix: 'Make one with openssl rand -hex 16, and write it wherever it stands and to what it is the password of.',
    }
    const isUrl = first!.value !== first!.setting.value
    return atValue(first!.file, first!.setting, said, isUrl ? passwordPart(first!.setting.value) : undefined)
  })
}

/** Where in a URL the password stands. */
function passwordPart(url: string): { from: number; length: number } {
  const [, before = '', password = ''] = /^([\w+]+:\/\/[^:@/]*:)([^@/]*)@/.exec(url) ?? []
  return { from: before.length, length: password.length }
}
