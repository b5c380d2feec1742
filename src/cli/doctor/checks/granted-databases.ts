import { createConnection } from 'mysql2/promise'
import type { ServerUrl } from '../../../base/db/url.ts'

/** The databases that a MariaDB user has grants on; none when it is not let in at all. */
export async function grantedDatabases(at: ServerUrl): Promise<string[]> {
  try {
    const { host, port, user, password } = at
    const connection = await createConnection({ host, port, user, password, connectTimeout: 2000 })
    try {
      const [rows] = await connection.query('SHOW GRANTS')
      const texts = (rows as Record<string, string>[]).flatMap((row) => Object.values(row))
      return texts.flatMap((text) => /ON `?([^`.*]+)`?\.\*/.exec(text)?.[1]?.replaceAll('\\', '') ?? [])
    } finally {
      await connection.end()
    }
  } catch {
    return []
  }
}
