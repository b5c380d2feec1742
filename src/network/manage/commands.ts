/** `neutron-db-manage`, as data. Arguments, output and exit codes are neutron's; there is one branch of migrations. */
import { migrate, newestApplied, stamp } from '../../base/db/migrate.ts'
import { type DatabaseManage, pendingMigrations, refuseOlder } from '../../base/manage/database-manage.ts'
import type { ManageCommand } from '../../base/manage/program.ts'
import { networkMigrations } from '../store/migrations/list.ts'
import type { Tables } from '../store/tables.ts'

type NeutronManage = DatabaseManage<Tables>

/** Neutron's own frame around what a command prints. */
const framed =
  (name: string, body: (deps: NeutronManage) => Promise<void>) =>
  async (_given: unknown, deps: NeutronManage): Promise<number> => {
    deps.print(`  Running ${name} for neutron ...`)
    await body(deps)
    deps.print('  OK')
    return 0
  }

const newest = networkMigrations.at(-1)!.name

export const neutronDbManageCommands: readonly ManageCommand<NeutronManage>[] = [
  {
    name: 'upgrade',
    help: 'bring the database up to date',
    arguments: ['[revision]'],
    options: [
      { flags: '--expand', help: 'only what running servers do not notice: everything, in this version' },
      { flags: '--contract', help: 'only what needs servers to stand still: nothing, in this version' },
    ],
    async run(given, deps) {
      refuseOlder(given['revision'], networkMigrations)
      return await framed('upgrade', async () => {
        if (given['contract'] === true) return
        for (const name of await migrate(deps.db(), networkMigrations))
          deps.print(`Running upgrade -> ${name}`)
      })(given, deps)
    },
  },
  {
    name: 'stamp',
    help: 'write down that the database is at a version, and change nothing else: only upgrade makes tables',
    arguments: ['<revision>'],
    async run(given, deps) {
      const revision = String(given['revision'])
      const name = ['head', 'heads'].includes(revision) ? newest : revision
      return await framed('stamp', () =>
        stamp(deps.db(), networkMigrations, name === 'base' ? undefined : name),
      )(given, deps)
    },
  },
  {
    name: 'current',
    help: 'print the version of the database',
    options: [{ flags: '--verbose', help: 'accepted' }],
    run: framed('current', async (deps) => {
      const current = await newestApplied(deps.db(), networkMigrations)
      if (current !== undefined) deps.print(current === newest ? `${current} (head)` : current)
    }),
  },
  {
    name: 'history',
    help: 'list the versions, the newest first',
    options: [{ flags: '--verbose', help: 'accepted' }],
    run: framed('history', async (deps) => {
      for (const [index, { name }] of [...networkMigrations.entries()].reverse()) {
        const head = name === newest ? ' (head)' : ''
        deps.print(`${networkMigrations[index - 1]?.name ?? '<base>'} -> ${name}${head}`)
      }
    }),
  },
  {
    name: 'heads',
    help: 'print the newest version there is',
    run: framed('heads', async (deps) => deps.print(`${newest} (head)`)),
  },
  {
    name: 'branches',
    help: 'list branches of versions: there are none',
    run: framed('branches', async () => {}),
  },
  {
    name: 'check_migration',
    help: 'tell whether the versions hang together',
    run: framed('branches', async () => {}),
  },
  {
    name: 'has_offline_migrations',
    help: 'exit with 1 when servers must be stopped for the upgrade',
    async run(_given, deps) {
      // Every migration so far can be made beside running servers.
      await pendingMigrations(deps.db(), networkMigrations)
      deps.print('No offline migrations pending.')
      return 0
    },
  },
]
