/** `glance-manage`, as data: each command as `db sync` and, as of old, as `db_sync`. */
import { migrate, newestApplied } from '../../base/db/migrate.ts'
import { type DatabaseManage, pendingMigrations, refuseOlder } from '../../base/manage/database-manage.ts'
import type { Given, ManageCommand } from '../../base/manage/program.ts'
import { migrations } from '../store/migrations/list.ts'
import type { ImageTables } from '../store/tables.ts'

type GlanceManage = DatabaseManage<ImageTables>

const version = { flags: '--version <version>', help: 'the newest version, or none' }

async function sync(given: Given, deps: GlanceManage): Promise<number> {
  refuseOlder(given['version'], migrations)
  const applied = await migrate(deps.db(), migrations)
  deps.print(
    applied.length === 0
      ? 'Database is up to date. No migrations needed.'
      : 'Database is synced successfully.',
  )
  return 0
}

const commands: readonly ManageCommand<GlanceManage>[] = [
  {
    name: 'sync',
    help: 'bring the database up to date',
    arguments: ['[VERSION]'],
    options: [version],
    run: sync,
  },
  {
    name: 'upgrade',
    help: 'bring the database up to date',
    arguments: ['[VERSION]'],
    options: [version],
    run: sync,
  },
  { name: 'expand', help: 'the same: services may run meanwhile', run: sync },
  {
    name: 'migrate',
    help: 'move data to their new places: nothing to move in this version',
    async run(_given, deps) {
      deps.print('Database migration is up to date. No migration needed.')
      return 0
    },
  },
  {
    name: 'contract',
    help: 'remove what is no longer needed: nothing in this version',
    async run(_given, deps) {
      deps.print('Database is up to date. No migrations needed.')
      return 0
    },
  },
  {
    name: 'check',
    help: 'exit with 3 when the database must be expanded first',
    async run(_given, deps) {
      if ((await pendingMigrations(deps.db(), migrations)).length === 0) {
        deps.print('Database is up to date. No upgrades needed.')
        return 0
      }
      deps.print("Database is behind. Run 'glance-manage db sync'.")
      return 3
    },
  },
  {
    name: 'version',
    help: 'print the version of the database',
    async run(_given, deps) {
      deps.print((await newestApplied(deps.db(), migrations)) ?? 'None')
      return 0
    },
  },
]

export const glanceManageCommands: readonly ManageCommand<GlanceManage>[] = commands.flatMap((command) => [
  { ...command, name: `db ${command.name}` },
  { ...command, name: `db_${command.name}` },
])
