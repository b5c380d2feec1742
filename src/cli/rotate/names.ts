/** The secrets of a cloud by name, as `rotate-secrets` is told them. */
import { Fault } from '../../base/errors.ts'
import { newPassword, type Secrets, type ServiceName, services } from '../init/secrets.ts'

/** `user.keystone` is none: identity does not log in at itself. */
export const secretNames: readonly string[] = [
  'admin',
  'metadata',
  'rabbit',
  ...services.map((name) => `database.${name}`),
  ...services.filter((name) => name !== 'keystone').map((name) => `user.${name}`),
]

/** `database` and `user` are all of theirs; nothing is everything. */
export function expandNames(asked: readonly string[]): string[] {
  if (asked.length === 0) return [...secretNames]
  const found = asked.flatMap((name) => {
    const names = secretNames.filter((one) => one === name || one.startsWith(`${name}.`))
    if (names.length > 0) return names
    throw new Fault(
      'not-found',
      `There is no secret ${name}; there are database, user, ${secretNames.join(', ')}.`,
    )
  })
  return [...new Set(found)]
}

/** New values for the secrets named; all others stay. */
export function renew(secrets: Secrets, names: readonly string[]): Secrets {
  const isNamed = (name: string) => names.includes(name)
  const next = (name: string, old: string) => (isNamed(name) ? newPassword() : old)
  const each = (kind: 'database' | 'user') =>
    Object.fromEntries(
      services.map((name) => [name, next(`${kind}.${name}`, secrets[kind][name])]),
    ) as Record<ServiceName, string>
  return {
    admin: next('admin', secrets.admin),
    metadata: next('metadata', secrets.metadata),
    rabbit: next('rabbit', secrets.rabbit),
    database: each('database'),
    user: each('user'),
  }
}
