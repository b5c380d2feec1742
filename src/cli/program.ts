import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { describeError, isFault } from '../base/errors.ts'
import { version } from '../base/version.ts'
import { daemons } from './daemons/table.ts'
import { initCommands } from './init/command.ts'
import { labCommand } from './lab/command.ts'
import { defaultStateDirectory } from './up/settings.ts'

const stateDirectory = () =>
  new Option('--state-dir <directory>', 'where the cloud keeps its state')
    .default(defaultStateDirectory())
    .env('KILONOVA_STATE_DIR')

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0)
    throw new InvalidArgumentError('It must be a whole number.')
  return number
}

const gather = (value: string, before: string[]): string[] => [...before, value]

/** The command line as data: names, options, and the file that does the work. */
export function program(): Command {
  // What follows a command that runs another one belongs to that: `lab enter HOST ip -json address`.
  const kilonova = new Command('kilonova')
    .enablePositionalOptions()
    .description('OpenStack Compute and Networking, with Identity and Image, as one program')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(kilonova --help tells the commands and options)')
  kilonova
    .command('up')
    .description('start a cloud on this machine, making what is missing; again: changes nothing')
    .addOption(stateDirectory())
    .option(
      '--listen <address>',
      'address the APIs listen on, and that the catalog names (default: 127.0.0.1)',
    )
    .option('--port-offset <number>', 'added to every port, for a second cloud (default: 0)', wholeNumber)
    .option('--provider-cidr <cidr>', 'addresses of the provider network (default: 172.24.4.0/24)')
    .option('--simulated', 'simulated hosts and networks: needs neither root nor libvirt')
    .option('--hosts <number>', 'how many simulated hosts (default: 1)', wholeNumber)
    .option('--image <file>', 'a guest image (qcow2 or raw) to offer instead of the small one that is built')
    .option('--virt-type <type>', 'kvm or qemu (default: kvm where the processor offers it)')
    .option('--yes', 'install missing packages without asking')
    .action(async (options) => run(async () => (await import('./up/up.ts')).up(options)))
  kilonova
    .command('verify')
    .description(
      'boot a server, check its address, ping, ssh, metadata and console, delete it, prove nothing is left',
    )
    .addOption(stateDirectory())
    .action(async (options) => run(async () => (await import('./verify/verify.ts')).verify(options)))
  kilonova
    .command('status')
    .description('what runs, where, and how it is')
    .addOption(stateDirectory())
    .action(async (options) => run(async () => (await import('./status.ts')).status(options)))
  kilonova
    .command('logs [service]')
    .description('what the services say: identity, image, placement, compute, network, …')
    .addOption(stateDirectory())
    .option('-f, --follow', 'go on as they say it')
    .option('-n, --lines <number>', 'how many of the last lines', wholeNumber, 50)
    .action(async (service, options) =>
      run(async () => (await import('./logs.ts')).logs({ ...options, service })),
    )
  kilonova
    .command('doctor')
    .description("what is wrong with this host's part of a cloud of several, and what to do about it")
    .option(
      '--program <name>',
      'look at this program (nova-api, …) instead of all set up here; may be repeated',
      gather,
      [],
    )
    .option(
      '--config-file <file>',
      "read this instead of the files in OpenStack's places; may be repeated",
      gather,
      [],
    )
    .option('--config-dir <directory>', 'read every *.conf in it, too; may be repeated', gather, [])
    .option(
      '--network',
      "instead try what networking needs of this host's kernel and tools, as neutron-sanity-check does",
    )
    .option('--json', 'as JSON')
    .action(async (options) => run(async () => (await import('./doctor/doctor.ts')).doctor(options)))
  kilonova
    .command('down')
    .description('stop the cloud; its servers go on running until it is up again')
    .addOption(stateDirectory())
    .option('--purge', 'delete everything it made: servers, networks, files')
    .action(async (options) => run(async () => (await import('./down.ts')).down(options)))
  kilonova
    .command('test [parts...]')
    .description(
      'the test suite: check, databases, stories, host, messaging; all of these without a name; rig: several hosts; faults: everything killed in turn',
    )
    .action(async (parts) => run(async () => (await import('./test.ts')).test(parts)))
  kilonova
    .command('units [programs...]')
    .description(
      "write systemd units for OpenStack's programs (openstack-nova-api.service, neutron-server.service, …), kilonova.target for all that are enabled, kilonova.service for what `up` made, and what sudo must allow them",
    )
    .option('--directory <directory>', 'where to', '/etc/systemd/system')
    .option(
      '--sudoers <file>',
      'where the rule for the privileged helper of the network agents goes',
      '/etc/sudoers.d/kilonova',
    )
    .action(async (names, options) =>
      run(async () => (await import('./units/write-units.ts')).writeUnits(names, options)),
    )
  kilonova.addCommand(labCommand(run))
  for (const command of initCommands(run)) kilonova.addCommand(command)
  kilonova
    .command('serve', { hidden: true })
    .description('the cloud itself, in the foreground (what up starts in the background)')
    .addOption(stateDirectory())
    .action(async (options) => run(async () => (await import('./serve.ts')).serve(options)))
  kilonova.addHelpText('after', `\nOpenStack's programs (kilonova PROGRAM --help):\n${programList()}`)
  kilonova
    .command('explain <command>')
    .description(
      'what a command means that was copied from a web page, with its quotes, dashes and lost spaces',
    )
    .action(async (text) => run(async () => (await import('./explain/explain.ts')).explain(text)))
  configCommands(kilonova)
  databaseCommands(kilonova)
  return kilonova
}

const programList = (): string =>
  Object.entries(daemons)
    .map(([name, { description }]) => `  ${name.padEnd(26)} ${description}`)
    .join('\n')

function databaseCommands(kilonova: Command): void {
  kilonova
    .command('db')
    .description('the databases of a cloud of several hosts')
    .command('create')
    .description(
      "make the databases and users that this host's configuration files name; again: changes nothing",
    )
    .option(
      '--admin-url <url>',
      "who may make databases (default: MariaDB's root, by its socket on this host)",
    )
    .option(
      '--config-file <file>',
      "read this instead of the files in OpenStack's places; may be repeated",
      gather,
      [],
    )
    .option('--config-dir <directory>', 'read every *.conf in it, too; may be repeated', gather, [])
    .action(async (options) =>
      run(async () => (await import('./db/create-databases.ts')).createDatabases(options)),
    )
}

function configCommands(kilonova: Command): void {
  const config = kilonova.command('config').description("OpenStack's configuration files: check, show, write")
  config
    .command('lint <files...>')
    .description('find what is misspelt, misplaced or of the wrong type, and what does not fit together')
    .addOption(
      new Option(
        '--role <role>',
        'of the host that the files are for; on a compute host no database may be named',
      ).choices(['compute', 'controller']),
    )
    .option('--no-host', "the files are another host's: say nothing of addresses and interfaces")
    .option('--fix', 'make the changes that are safe, and show them')
    .addOption(new Option('--format <format>', 'how to say it').choices(['text', 'json']).default('text'))
    .action(async (files, options) =>
      run(async () => (await import('./config/lint-command.ts')).lint(files, options)),
    )
  config
    .command('show')
    .description('what the files come to, and where each value is from')
    .option('--config-file <file>', 'as the program is given it; may be repeated', gather, [])
    .option('--config-dir <directory>', 'as the program is given it; may be repeated', gather, [])
    .addOption(
      new Option(
        '--daemon <program>',
        'whose configuration (default: the one that such files are for)',
      ).choices(Object.keys(daemons)),
    )
    .option('--diff-default', 'only what is not as it would be without files')
    .addOption(new Option('--format <format>', 'how to say it').choices(['text', 'json']).default('text'))
    .action(async (options) => run(async () => (await import('./config/show-command.ts')).show(options)))
  config
    .command('sample')
    .description('a configuration file with every option that the program acts on, as a comment')
    .addArgument(new Argument('<program>', "one of OpenStack's programs").choices(Object.keys(daemons)))
    .action(async (program) =>
      run(async () => {
        process.stdout.write((await import('./config/sample.ts')).sampleFile(program))
        return 0
      }),
    )
  proxyCommand(config)
}

function proxyCommand(config: Command): void {
  config
    .command('proxy')
    .description('what a web server in front of the APIs needs to be told')
    .addArgument(new Argument('<kind>', 'of the server').choices(['nginx', 'haproxy', 'apache']))
    .requiredOption('--listen <address>', 'the address that clients connect to; * for all of the host')
    .option('--backend <host>', 'a host that runs the APIs; may be repeated (default: 127.0.0.1)', gather, [])
    .option('--certificate <file>', 'PEM; without it clients speak plain HTTP')
    .option('--key <file>', 'PEM (default: the file of the certificate)')
    .action(async (kind, { listen, backend, certificate, key }) =>
      run(async () => {
        const { proxyFile, proxyNeeds } = await import('./config/proxy.ts')
        const tls = certificate === undefined ? undefined : { certificate, key: key ?? certificate }
        const backends = backend.length === 0 ? ['127.0.0.1'] : backend
        process.stdout.write(proxyFile(kind, { listen, backends, tls }))
        console.error(proxyNeeds[kind as keyof typeof proxyNeeds])
        return 0
      }),
    )
}

async function run(work: () => Promise<number | undefined>): Promise<void> {
  try {
    process.exitCode = (await work()) ?? 0
  } catch (error) {
    // A Fault is written for the user; anything else is a bug, and its trace is what a report needs.
    console.error(isFault(error) ? `kilonova: ${describeError(error)}` : error)
    process.exitCode = 1
  }
}
