/** `kilonova init`, `bootstrap` and `rotate-secrets` as data. */
import { Command, Option } from 'commander'
import type { InitOptions } from './init.ts'

type RunCommand = (work: () => Promise<number | undefined>) => Promise<void>

const directory = () => new Option('--directory <directory>', 'where the files go').default('/etc')

export function initCommands(run: RunCommand): Command[] {
  const init = new Command('init').description(
    'write the configuration files of a host of several, with secrets of their own; again: changes what is told anew',
  )
  const role = (name: 'controller' | 'compute', description: string) =>
    init
      .command(name)
      .description(description)
      .addOption(directory())
      .option('--controller <host>', "the controller's name, or address, by which all hosts reach it")
      .option('--address <address>', "this host's own (default: the one it reaches the controller from)")
      .option('--interface <nic>', "the NIC of the guests' network (default: one that nothing else uses)")
      .option('--force', 'write over what was changed by hand, and keep that beside it as FILE.by-hand')
      .option('--yes', "take the NIC that --interface names though it carries this host's own traffic")
      .action(async (options: InitOptions) =>
        run(async () => (await import('./init.ts')).init(name, options)),
      )
  role('controller', 'of the host with the databases, the broker and the APIs').addOption(
    new Option('--database <kind>', 'where tables are kept (default: mariadb)').choices([
      'mariadb',
      'postgresql',
      'sqlite',
    ]),
  )
  role('compute', 'of a host that guests run on').option(
    '--secrets <file>',
    'compute.secrets, as the controller has it in /etc/kilonova',
  )
  const bootstrap = new Command('bootstrap')
    .description(
      'make the administrator, the service users and all endpoints at identity, on a controller; again: puts right what is other',
    )
    .addOption(directory())
    .action(async (options) => run(async () => (await import('./bootstrap.ts')).bootstrap(options)))
  const rotate = new Command('rotate-secrets')
    .description(
      'new passwords for a cloud that kilonova init set up, on its controller: admin, metadata, rabbit, database[.SERVICE], user[.SERVICE]; all without a name; again after a failure: goes on',
    )
    .argument('[names...]')
    .addOption(directory())
    .option(
      '--admin-url <url>',
      "who may change the database's users (default: MariaDB's root, by its socket on this host)",
    )
    .option('--force', 'write over what was changed by hand, and keep that beside it as FILE.by-hand')
    .action(async (names, options) =>
      run(async () => (await import('../rotate/rotate-secrets.ts')).rotateSecrets(names, options)),
    )
  return [init, bootstrap, rotate]
}
