import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestDatabase, testDatabase } from '#testing/databases/test-database.ts'
import { silentLogger } from '../../base/log.ts'
import type { ApiTables } from '../store/api-tables.ts'
import { setCellDisabled } from '../store/cells.ts'
import { apiMigrations, cellMigrations } from '../store/migrations/list.ts'
import { ensureCells, openCells } from './open-cells.ts'

test('a cell that is read again is the same one until something about it has changed', async () => {
  await using api = await openTestDatabase<ApiTables>(apiMigrations)
  await using cell0 = await testDatabase(cellMigrations)
  await using cell1 = await testDatabase(cellMigrations)
  await ensureCells(api, { cell0: cell0.url, cell1: cell1.url })
  await using cells = await openCells(api, { log: silentLogger })
  const [first, second] = await cells.all()
  await cells.refresh()
  assert.ok((await cells.all())[1] === second)
  await setCellDisabled(api, second!.uuid, true)
  await cells.refresh()
  const now = await cells.all()
  assert.ok(now[0] === first)
  assert.equal(now[1]!.disabled, true)
  assert.ok(now[1]!.db === second!.db)
})
