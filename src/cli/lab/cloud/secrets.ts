/** The passwords of a lab's cloud, made once. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newSecrets, type Secrets } from '../../init/secrets.ts'

export function secretsOf(directory: string): Secrets {
  const file = join(directory, 'secrets.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets
  const secrets = newSecrets()
  writeFileSync(file, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600 })
  return secrets
}
