/** `kilonova lab …`: a cloud of several hosts on this one machine, to try and to break. */
import { Command, Option } from 'commander'
import { defaultLabDirectory } from './plan.ts'
import { labNetworks } from './switch.ts'

type Run = (work: () => Promise<number | undefined>) => Promise<void>

const directory = () =>
  new Option('--directory <directory>', 'where the lab keeps its files').default(defaultLabDirectory)
const network = () =>
  new Option('--network <network>', 'only this cable of the host').choices([...labNetworks])

export function labCommand(run: Run): Command {
  const lab = new Command('lab')
    .enablePositionalOptions()
    .description(
      'a cloud of three hosts on this machine: controller, compute1, compute2, each in namespaces of its own',
    )
  lab
    .command('up')
    .description(
      'make the hosts and a cloud on them: databases, message queue, services, agents, first things',
    )
    .addOption(directory())
    .addOption(
      new Option('--database <database>', 'what the services keep their state in')
        .choices(['mariadb', 'postgresql'])
        .default('mariadb'),
    )
    .option('--bare', 'hosts with database, message queue and cache alone, to put a cloud on by hand')
    .option('--yes', 'install missing packages without asking')
    .action(async (options) => run(async () => (await import('./up.ts')).labUp(options)))
  lab
    .command('down')
    .description('take the lab away with all that is in it')
    .addOption(directory())
    .action(async (options) => run(async () => (await import('./down.ts')).labDown(options)))
  lab
    .command('status')
    .description('hosts, their addresses and what runs on them')
    .addOption(directory())
    .action(async (options) => run(async () => (await import('./status.ts')).labStatus(options)))
  lab
    .command('enter <host> [command...]')
    .description('a root shell on a host, or one command run there: lab enter controller ip address')
    .addOption(directory())
    .passThroughOptions()
    .action(async (host, command, options) =>
      run(async () => (await import('./enter.ts')).labEnter(host, command, options)),
    )
  lab
    .command('cut <host>')
    .description('pull a host off the network: it hears nothing until it is healed')
    .addOption(directory())
    .addOption(network())
    .action(async (host, options) => run(async () => (await import('./faults.ts')).labCut(host, options)))
  lab
    .command('heal <host>')
    .description('put a host back on the network')
    .addOption(directory())
    .addOption(network())
    .action(async (host, options) => run(async () => (await import('./faults.ts')).labHeal(host, options)))
  lab
    .command('kill <host> <service>')
    .description('kill -9 a service: lab kill compute1 openstack-nova-compute')
    .addOption(directory())
    .action(async (host, service, options) =>
      run(async () => (await import('./faults.ts')).labKill(host, service, options)),
    )
  return lab
}
