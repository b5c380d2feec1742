import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { testDialect } from '#testing/databases/dialect.ts'
import { mariadb } from '#testing/databases/mariadb.ts'
import { postgresql } from '#testing/databases/postgresql.ts'
import { startServer } from '#testing/databases/server.ts'
import { openDatabase } from '../../base/db/database.ts'
import { createDatabases, wantedDatabases } from './create-databases.ts'

/** nova.conf of a controller, whose databases are where a URL says that ends in `?…` or nothing. */
function controller(scheme: string, query: string) {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-db-create-'))
  const file = join(directory, 'nova.conf')
  const url = (database: string) => `${scheme}://nova:it%27s%5C-secret@localhost/${database}${query}`
  writeFileSync(
    file,
    `[api_database]\nconnection = ${url('nova_api')}\n[database]\nconnection = ${url('nova')}\n`,
  )
  return { file, url, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) }
}

test("what is to be made is each database once, and cell0's", () => {
  using files = controller('mysql+pymysql', '')
  const wanted = wantedDatabases({ configFile: [files.file], configDir: [] })
  assert.deepEqual(wanted.map(({ database }) => database).sort(), ['nova', 'nova_api', 'nova_cell0'])
})

test('databases and users are made once, and let the services in', {
  skip: testDialect === 'sqlite' ? 'SQLite has no users' : false,
}, async (t) => {
  t.mock.method(console, 'log', () => undefined)
  const server = startServer(testDialect === 'mysql' ? mariadb : postgresql)
  try {
    const adminUrl = server.url(testDialect === 'mysql' ? 'mysql' : 'postgres')
    const query = adminUrl.slice(adminUrl.indexOf('?'))
    using files = controller(testDialect === 'mysql' ? 'mysql+pymysql' : 'postgresql+psycopg2', query)
    const options = { adminUrl, configFile: [files.file], configDir: [] }
    for (let tries = 0; ; tries++) {
      try {
        await createDatabases(options)
        break
      } catch (error) {
        // The server is still starting.
        if (tries === 200) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    assert.equal(await createDatabases(options), 0)
    for (const name of ['nova_api', 'nova', 'nova_cell0']) {
      await using db = openDatabase<Record<string, never>>(files.url(name))
      await sql`create table made (id integer)`.execute(db)
    }
    const stranger = { ...options, adminUrl: adminUrl.replace(/\/\/\w+@/, '//nobody@') }
    await assert.rejects(createDatabases(stranger), /does not let nobody in; --admin-url says who/)
  } finally {
    server.stop()
  }
})
