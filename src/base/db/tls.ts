/** TLS to a database, by the parameters of a URL: PyMySQL's `ssl_ca` and its like, libpq's `sslmode` and its like. */
import { readFileSync } from 'node:fs'
import { Fault } from '../errors.ts'
import type { ServerUrl } from './url.ts'

export interface Tls {
  ca?: string
  cert?: string
  key?: string
  rejectUnauthorized: boolean
}

/** Undefined when the URL asks for none. */
export function tlsOf({ dialect, query, masked }: ServerUrl): Tls | undefined {
  const isMysql = dialect === 'mysql'
  const file = (name: string): Partial<Tls> => {
    const path = query[isMysql ? `ssl_${name}` : name === 'ca' ? 'sslrootcert' : `ssl${name}`]
    if (path === undefined) return {}
    try {
      return { [name]: readFileSync(path, 'utf8') }
    } catch (error) {
      throw new Fault(
        'invalid',
        `${path}, which the database URL ${masked} names, cannot be read.`,
        {},
        error,
      )
    }
  }
  const files = { ...file('ca'), ...file('cert'), ...file('key') }
  const mode = query['sslmode'] ?? (isMysql ? undefined : 'prefer')
  const isAsked =
    Object.keys(files).length > 0 || ['require', 'verify-ca', 'verify-full'].includes(mode ?? '')
  if (!isAsked || query['ssl_disabled'] === 'true' || mode === 'disable') return undefined
  const isVerified = mode === undefined ? query['ssl_verify_cert'] !== 'false' : mode.startsWith('verify')
  return { ...files, rejectUnauthorized: isVerified && files.ca !== undefined }
}
