import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestDatabase } from '#testing/databases/test-database.ts'
import { newestApplied } from '../../../base/db/migrate.ts'
import type { CellTables } from '../cell-tables.ts'
import { apiMigrations, cellMigrations } from './list.ts'

test('both databases migrate from empty, and a host has one service of a kind', async () => {
  await using api = await openTestDatabase(apiMigrations)
  assert.equal(await newestApplied(api, apiMigrations), apiMigrations.at(-1)?.name)
  await using cell = await openTestDatabase<CellTables>(cellMigrations)
  const service = {
    uuid: 'a',
    host: 'h',
    binary: 'nova-compute',
    topic: 'compute',
    report_count: 0,
    disabled: 0,
    disabled_reason: null,
    last_seen_up: null,
    forced_down: 0,
    version: 1,
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: null,
    deleted_at: null,
    deleted: 0,
  }
  await cell.insertInto('services').values(service).execute()
  await assert.rejects(
    cell
      .insertInto('services')
      .values({ ...service, uuid: 'b' })
      .execute(),
  )
})
