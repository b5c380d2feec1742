/** `nova-manage api_db` and `db`: bringing databases up to date. */
import { migrate, newestApplied } from '../../base/db/migrate.ts'
import { describeError } from '../../base/errors.ts'
import { refuseOlder } from '../../base/manage/database-manage.ts'
import type { Given, ManageCommand } from '../../base/manage/program.ts'
import { cell0Uuid } from '../store/cell-dbs.ts'
import { apiMigrations, cellMigrations } from '../store/migrations/list.ts'
import { cellsOf, type NovaManage, needApiDatabase, needDatabase } from './deps.ts'

export const schemaCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'api_db sync',
    help: 'bring the API database up to date',
    arguments: ['[VERSION]'],
    async run(given, deps) {
      refuseOlder(given['version'], apiMigrations)
      needApiDatabase(deps)
      await migrate(deps.apiDb(), apiMigrations)
      return 0
    },
  },
  {
    name: 'api_db version',
    help: 'print the version of the API database',
    async run(_given, deps) {
      needApiDatabase(deps)
      deps.print((await newestApplied(deps.apiDb(), apiMigrations)) ?? 'None')
      return 0
    },
  },
  {
    name: 'db sync',
    help: 'bring the database of the configured cell, and cell0, up to date',
    arguments: ['[VERSION]'],
    options: [{ flags: '--local_cell', help: 'only the cell of this configuration, not cell0' }],
    run: syncCells,
  },
  {
    name: 'db version',
    help: "print the version of the configured cell's database",
    async run(_given, deps) {
      const db = deps.cellDb(needDatabase(deps))
      deps.print((await newestApplied(db, cellMigrations)) ?? 'None')
      return 0
    },
  },
]

async function syncCells(given: Given, deps: NovaManage): Promise<number> {
  refuseOlder(given['version'], cellMigrations)
  const own = needDatabase(deps)
  if (given['localCell'] !== true) {
    try {
      const cell0 = (await cellsOf(deps)).find((cell) => cell.uuid === cell0Uuid)
      if (cell0 === undefined) {
        deps.print('cell0 is not mapped yet: run nova-manage cell_v2 map_cell0, then db sync again.')
      } else {
        await migrate(deps.cellDb(cell0.database_connection), cellMigrations)
      }
    } catch (error) {
      deps.print(
        `cell0 could not be brought up to date: ${describeError(error)} Is [api_database] connection set, and ` +
          'was nova-manage cell_v2 map_cell0 run with the database that cell0 really has?',
      )
      return 1
    }
  }
  await migrate(deps.cellDb(own), cellMigrations)
  return 0
}
