/** The passwords of a lab's cloud, made once. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Each has a database of its own, and all but keystone a user in it. */
export const services = ['keystone', 'glance', 'placement', 'nova', 'neutron'] as const
export type ServiceName = (typeof services)[number]

export interface LabSecrets {
  admin: string
  rabbit: string
  metadata: string
  /** Of the database's users. */
  database: Readonly<Record<ServiceName, string>>
  /** Of identity's users. */
  user: Readonly<Record<ServiceName, string>>
}

// Letters and digits alone: these go into URLs, SQL and INI files as they are.
const newPassword = (): string => randomBytes(16).toString('hex')

const forEach = (): Record<ServiceName, string> =>
  Object.fromEntries(services.map((name) => [name, newPassword()])) as Record<ServiceName, string>

export function secretsOf(directory: string): LabSecrets {
  const file = join(directory, 'secrets.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as LabSecrets
  const secrets: LabSecrets = {
    admin: newPassword(),
    rabbit: newPassword(),
    metadata: newPassword(),
    database: forEach(),
    user: forEach(),
  }
  writeFileSync(file, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600 })
  return secrets
}
