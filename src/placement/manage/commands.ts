/** `placement-manage`, as data. */
import { migrate, newestApplied } from '../../base/db/migrate.ts'
import type { DatabaseManage } from '../../base/manage/database-manage.ts'
import { prettyTable } from '../../base/manage/pretty-table.ts'
import { type ManageCommand, positive } from '../../base/manage/program.ts'
import { migrations } from '../store/migrations/list.ts'
import type { Tables } from '../store/tables.ts'

export const placementManageCommands: readonly ManageCommand<DatabaseManage<Tables>>[] = [
  {
    name: 'db sync',
    help: 'bring the database up to date',
    async run(_given, deps) {
      await migrate(deps.db(), migrations)
      return 0
    },
  },
  {
    name: 'db version',
    help: 'print the version of the database',
    async run(_given, deps) {
      deps.print((await newestApplied(deps.db(), migrations)) ?? 'None')
      return 0
    },
  },
  {
    name: 'db online_data_migrations',
    help: 'migrate data while services run: there is nothing to migrate in this version',
    options: [{ flags: '--max-count <number>', help: 'at most so many objects' }],
    async run(given, deps) {
      if (given['maxCount'] !== undefined && positive(given['maxCount']) === undefined) {
        deps.print('Must supply a positive value for max-count')
        return 127
      }
      deps.print(prettyTable(['Migration', 'Total Found', 'Completed'], []))
      return 0
    },
  },
]
