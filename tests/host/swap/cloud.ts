/** The cloud of a cell on a lab: databases, files and programs of both kinds; and its end, so that the next may come. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type ServiceName, services, usersOf } from '../../../src/cli/init/secrets.ts'
import { filesOfHost } from '../../../src/cli/lab/cloud/config-files.ts'
import { register, writeHostFile } from '../../../src/cli/lab/cloud/install.ts'
import { secretsOf } from '../../../src/cli/lab/cloud/secrets.ts'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import type { Person } from '../../../src/testing/cloud-people.ts'
import { type Cell, kindOf, kinds } from './cells.ts'
import { originalSettings, pasteFiles } from './files.ts'
import {
  compute,
  controller,
  databasesOf,
  keystoneManage,
  originals,
  type Program,
  serviceOf,
  unitText,
} from './programs.ts'
import { untilIdentityAnswers, untilNetworkAnswers, untilReady } from './ready.ts'

const providerCidr = '203.0.113.0/24'

/** What all cells need once: units and files that no cell changes. `/root/kilonova.qcow2` is the guests' image. */
export async function prepareLab(lab: Lab): Promise<void> {
  for (const { name } of lab.plan.hosts) await lab.run(name, ['kilonova', 'units'])
  // As Debian's package has it: dnsmasq, which nobody runs, reads its hosts there.
  await lab.run(controller, ['chmod', '0755', '/var/lib/neutron'])
  for (const file of pasteFiles) writeHostFile(lab, controller, file)
  for (const program of services.flatMap((service) => originals[service].programs))
    writeFileSync(lab.path(program.host, `/etc/systemd/system/${program.unit}.service`), unitText(program))
  await lab.run(controller, ['ln', '-sf', '/etc/neutron/plugins/ml2/ml2_conf.ini', '/etc/neutron/plugin.ini'])
  await lab.run(controller, ['rabbitmqctl', 'add_user', 'openstack', secretsOf(lab.directory).rabbit])
}

const isAgent = ({ unit }: Program): boolean => unit.includes('agent')

const programsOf = (cell: Cell, except?: ServiceName): readonly Program[] =>
  services
    .filter((service) => service !== except)
    .flatMap((service) => {
      const kind = kindOf(cell, service)
      const { programs } = serviceOf(kind, service)
      if (service !== 'neutron' || cell.agents === undefined) return programs
      return [
        ...programs.filter((program) => !isAgent(program)),
        ...serviceOf(cell.agents, service).programs.filter(isAgent),
      ]
    })

/** Starts everything, and makes what a first server needs. */
export async function startCloud(lab: Lab, cell: Cell, admin: Person): Promise<void> {
  writeFiles(lab, cell)
  await Promise.all([fillDatabases(lab, cell), emptyBroker(lab)])
  await startIdentity(lab, cell, admin)
  const adminPassword = secretsOf(lab.directory).admin
  await register(lab, controller, { controller, adminPassword, users: usersOf(secretsOf(lab.directory)) })
  const programs = programsOf(cell, 'keystone')
  await start(
    lab,
    programs.filter((program) => !isAgent(program)),
  )
  const check = () => requireRunning(lab, programsOf(cell))
  // What an original agent asks before there is a server is answered by nobody, and asked again after a minute.
  await untilNetworkAnswers(admin, check)
  await start(lab, programs.filter(isAgent))
  await untilReady(admin, check)
  const imageFile = '/root/kilonova.qcow2'
  const firstThings = { directory: '/root', imageFile, providerCidr }
  await register(lab, controller, { controller, adminPassword, users: {}, firstThings })
}

/** Ends all programs of both kinds, and takes away what they made on the hosts. */
export async function endCloud(lab: Lab): Promise<void> {
  const all = services.flatMap((name) => kinds.flatMap((kind) => serviceOf(kind, name).programs))
  await onEach(all, async (host, units) => {
    await lab.stop(host, ...units)
    await lab.run(host, ['bash', '-c', clearHost])
  })
}

// What agents leave running for the sake of guests, who are gone.
const clearHost = `
pkill -KILL 'dnsmasq|haproxy|privsep-helper|qemu-system'
for name in $(ip netns list | cut -d' ' -f1); do ip netns delete $name; done
for name in $(ip -o link show | grep -oE ': (tap|brq|vxlan-)[^@:]+' | cut -c3-); do ip link delete $name 2> /dev/null; done
for tool in iptables ip6tables; do for table in raw mangle nat filter; do $tool -w -t $table -F; $tool -w -t $table -X; done; done
ebtables-nft -t nat -F; ebtables-nft -t nat -X; ebtables-nft -F; ebtables-nft -X
ipset destroy
rm -rf /etc/libvirt/qemu /run/libvirt/qemu /var/lib/{nova,neutron,glance}/* /etc/keystone/{fernet,credential}-keys /{var/log,run/lab}/units/{original,openstack,neutron}-* /var/log/{nova,neutron,glance,keystone,placement}/*
exit 0
`

function writeFiles(lab: Lab, cell: Cell): void {
  const more = Object.assign(
    {},
    ...services.map((service) => (kindOf(cell, service) === 'original' ? originalSettings[service] : {})),
  )
  for (const host of lab.plan.hosts)
    for (const file of filesOfHost(lab.plan, host, secretsOf(lab.directory), more))
      writeHostFile(lab, host.name, file)
}

const dumpOf = (service: ServiceName) => `/root/original-${service}.sql`

/** The original services take minutes to make their tables: that is done once, and kept. */
async function fillDatabases(lab: Lab, cell: Cell): Promise<void> {
  const secrets = secretsOf(lab.directory)
  const statements = services.flatMap((owner) =>
    databasesOf[owner].flatMap((name) => [
      `DROP DATABASE IF EXISTS ${name}; CREATE DATABASE ${name};`,
      ...['localhost', '%'].map(
        (from) =>
          `GRANT ALL ON ${name}.* TO '${owner}'@'${from}' IDENTIFIED BY '${secrets.database[owner]}';`,
      ),
    ]),
  )
  await lab.run(controller, ['mysql', '-uroot'], { input: statements.join('\n') })
  await Promise.all(services.map((service) => fill(lab, cell, service)))
}

async function fill(lab: Lab, cell: Cell, service: ServiceName): Promise<void> {
  const kind = kindOf(cell, service)
  const dump = dumpOf(service)
  if (kind === 'original' && (await lab.attempt(controller, ['test', '-e', dump])).code === 0) {
    await lab.run(controller, ['bash', '-c', `mysql -uroot < ${dump}`])
    return
  }
  for (const command of serviceOf(kind, service).syncs)
    await lab.run(controller, command, { user: service, timeoutSeconds: 300 })
  if (kind === 'ours') return
  const names = databasesOf[service].join(' ')
  const script = `mysqldump -uroot --databases ${names} > ${dump}.new && mv ${dump}.new ${dump}`
  await lab.run(controller, ['bash', '-c', script])
}

/** Queues of another cell, and what is in them, are no business of this one. */
async function emptyBroker(lab: Lab): Promise<void> {
  const host = `<<"/">>`
  const who = `<<"swap">>`
  const all = `<<".*">>, <<".*">>, <<".*">>`
  const steps = [
    `rabbit_vhost:delete(${host}, ${who})`,
    `rabbit_vhost:add(${host}, ${who})`,
    `rabbit_auth_backend_internal:set_permissions(<<"openstack">>, ${host}, ${all}, ${who})`,
  ]
  await lab.run(controller, ['rabbitmqctl', 'eval', `${steps.join(', ')}.`])
}

async function startIdentity(lab: Lab, cell: Cell, admin: Person): Promise<void> {
  const manage = keystoneManage(kindOf(cell, 'keystone'))
  const as = ['--keystone-user', 'keystone', '--keystone-group', 'keystone']
  await lab.run(controller, [...manage, 'fernet_setup', ...as])
  await lab.run(controller, [...manage, 'credential_setup', ...as])
  const urls = ['admin', 'internal', 'public'].flatMap((kind) => [
    `--bootstrap-${kind}-url`,
    `http://${controller}:5000/v3/`,
  ])
  await lab.run(controller, [...manage, 'bootstrap', '--bootstrap-region-id', 'RegionOne', ...urls], {
    env: { OS_BOOTSTRAP_PASSWORD: secretsOf(lab.directory).admin },
  })
  const { programs } = serviceOf(kindOf(cell, 'keystone'), 'keystone')
  await start(lab, programs)
  await untilIdentityAnswers(admin, () => requireRunning(lab, programs))
}

/** Ours are started again when they end; the original ones are not, and are waited for in vain then. */
function requireRunning(lab: Lab, programs: readonly Program[]): void {
  for (const { host, unit } of programs) {
    if (!existsSync(lab.path(host, `/run/lab/units/${unit}.service/code`))) continue
    const said = readFileSync(lab.path(host, `/var/log/units/${unit}.log`), 'utf8')
    throw new Error(`${unit} on ${host} has ended:\n${said.trim().split('\n').slice(-8).join('\n')}`)
  }
}

async function start(lab: Lab, programs: readonly Program[]): Promise<void> {
  await onEach(programs, async (host, units) => {
    await lab.run(host, ['systemctl', 'start', ...units])
  })
}

/** Hosts side by side, each with those of the programs that are its own. */
async function onEach(
  programs: readonly Program[],
  act: (host: Program['host'], units: readonly string[]) => Promise<void>,
): Promise<void> {
  const hosts = [controller, compute] as const
  await Promise.all(
    hosts.map(async (host) => {
      const units = programs.filter((program) => program.host === host).map(({ unit }) => unit)
      if (units.length > 0) await act(host, units)
    }),
  )
}
