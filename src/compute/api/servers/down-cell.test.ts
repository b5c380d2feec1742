import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase } from '../../../base/db/database.ts'
import type { CellTables } from '../../store/cell-tables.ts'
import { makeWorld } from '../testing/world.ts'

test('a cell that cannot be reached takes along what is in it and nothing else', async () => {
  await using world = await makeWorld()
  // Nothing listens on port 1.
  await using db = openDatabase<CellTables>('mysql+pymysql://nova:nova@127.0.0.1:1/nova_cell2')
  const down = { id: 3, uuid: 'c2', name: 'cell2', db }
  world.deps.cells = { all: async () => [world.cell0, world.cell1, down] }
  for (const path of ['/servers', '/servers/detail', '/os-services', '/os-hypervisors/detail']) {
    const { status } = await world.call(`GET ${path}`, { as: 'admin', version: '2.53' })
    assert.equal(status, 200, path)
  }
})
