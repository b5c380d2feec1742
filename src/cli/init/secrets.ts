/** The passwords of a cloud of several hosts. */
import { randomBytes } from 'node:crypto'

/** Each has a database user, and all but keystone log in at identity. */
export const services = ['keystone', 'glance', 'placement', 'nova', 'neutron'] as const
export type ServiceName = (typeof services)[number]

/** What a compute host needs: the broker and the services it calls; neither databases nor the administrator. */
export interface ComputeSecrets {
  rabbit: string
  /** Of identity's users. */
  user: Readonly<Record<'placement' | 'nova' | 'neutron', string>>
}

export interface Secrets extends ComputeSecrets {
  admin: string
  metadata: string
  /** Of the database's users. */
  database: Readonly<Record<ServiceName, string>>
  user: Readonly<Record<ServiceName, string>>
}

// Letters and digits alone: these go into URLs, SQL and INI files as they are.
export const newPassword = (): string => randomBytes(16).toString('hex')

const forEach = (): Record<ServiceName, string> =>
  Object.fromEntries(services.map((name) => [name, newPassword()])) as Record<ServiceName, string>

export const newSecrets = (): Secrets => ({
  admin: newPassword(),
  rabbit: newPassword(),
  metadata: newPassword(),
  database: forEach(),
  user: forEach(),
})

/** The users that services log in as, with their passwords. */
export function usersOf({ user }: Secrets): Partial<Record<ServiceName, string>> {
  const { keystone: _, ...users } = user
  return users
}
