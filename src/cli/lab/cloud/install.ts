/** Puts a cloud on a lab's hosts the way OpenStack's installation guides do: databases, files, management commands, units. */
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createLogger } from '../../../base/log.ts'
import { buildGuestImage } from '../../../compute/virt/guest-image/build.ts'
import { hostRun } from '../../../linux/run.ts'
import type { HostFile } from '../../init/config-files.ts'
import { type Secrets, type ServiceName, services, usersOf } from '../../init/secrets.ts'
import type { Lab } from '../lab.ts'
import { controllerOf } from '../plan.ts'
import { filesOfHost } from './config-files.ts'
import { createDatabases, createRabbitUser } from './databases.ts'
import type { Registration } from './register.ts'
import { secretsOf } from './secrets.ts'

const controllerUnits = [
  'openstack-glance-api',
  'openstack-placement-api',
  'openstack-nova-api',
  'openstack-nova-consoleauth',
  'openstack-nova-scheduler',
  'openstack-nova-conductor',
  'neutron-server',
  'neutron-linuxbridge-agent',
  'neutron-dhcp-agent',
  'neutron-metadata-agent',
]
const computeUnits = ['libvirtd', 'openstack-nova-compute', 'neutron-linuxbridge-agent']

/** What fills a service's databases, each as the service's user. */
const syncs: Readonly<Record<ServiceName, readonly (readonly string[])[]>> = {
  keystone: [['keystone-manage', 'db_sync']],
  glance: [['glance-manage', 'db_sync']],
  placement: [['placement-manage', 'db', 'sync']],
  nova: [
    ['nova-manage', 'api_db', 'sync'],
    ['nova-manage', 'cell_v2', 'map_cell0'],
    ['nova-manage', 'cell_v2', 'create_cell', '--name=cell1'],
    ['nova-manage', 'db', 'sync'],
  ],
  neutron: [['neutron-db-manage', 'upgrade', 'head']],
}

export async function installCloud(lab: Lab, onProgress: (text: string) => void): Promise<void> {
  const secrets = secretsOf(lab.directory)
  const controller = controllerOf(lab.plan).name
  const computes = lab.plan.hosts.filter(({ role }) => role === 'compute').map(({ name }) => name)
  // The image needs this machine's network and some seconds: it is built while the rest is done.
  const image = guestImage(lab)
  // Awaited below; a failure before that is not to go unheard.
  image.catch(() => undefined)
  onProgress('creating databases')
  await Promise.all([createDatabases(lab, secrets), createRabbitUser(lab, secrets)])
  for (const host of lab.plan.hosts) {
    for (const file of filesOfHost(lab.plan, host, secrets)) writeHostFile(lab, host.name, file)
    await lab.run(host.name, ['kilonova', 'units'])
  }
  await lab.run(controller, ['ln', '-sf', '/etc/neutron/plugins/ml2/ml2_conf.ini', '/etc/neutron/plugin.ini'])
  onProgress('filling databases')
  await Promise.all(
    services.map(async (user) => {
      for (const command of syncs[user]) await lab.run(controller, command, { user })
    }),
  )
  onProgress('starting identity')
  await startIdentity(lab, controller, secrets)
  await register(lab, controller, { controller, adminPassword: secrets.admin, users: usersOf(secrets) })
  onProgress('starting the services')
  await Promise.all([
    lab.start(controller, ...controllerUnits),
    ...computes.map((host) => lab.start(host, ...computeUnits)),
  ])
  onProgress('building the guest image')
  copyFileSync(await image, lab.path(controller, '/root/kilonova.qcow2'))
  onProgress('creating flavors, image, network and key pair')
  await register(lab, controller, {
    controller,
    adminPassword: secrets.admin,
    users: {},
    firstThings: {
      directory: '/root',
      imageFile: '/root/kilonova.qcow2',
      providerCidr: cidrOf(lab.plan.providerGateway),
    },
  })
}

/** Builds the small guest image in the lab's directory; needs this machine's network the first time. */
export function guestImage(lab: Lab): Promise<string> {
  const log = createLogger({ level: 'silent' })
  return buildGuestImage({ directory: join(lab.directory, 'guest-image'), run: hostRun(log), log })
}

/** Readable by its service and by root: it has passwords. */
export function writeHostFile(lab: Lab, host: string, { path, owner, text }: HostFile): void {
  const file = lab.path(host, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, owner === 'root' ? 0o600 : 0o640)
  chownSync(file, 0, groupOf(lab, host, owner))
}

function groupOf(lab: Lab, host: string, name: string): number {
  const groups = readFileSync(lab.path(host, '/etc/group'), 'utf8')
  return Number(
    groups
      .split('\n')
      .find((row) => row.startsWith(`${name}:`))
      ?.split(':')[2] ?? 0,
  )
}

async function startIdentity(lab: Lab, controller: string, secrets: Secrets): Promise<void> {
  const as = ['--keystone-user', 'keystone', '--keystone-group', 'keystone']
  await lab.run(controller, ['keystone-manage', 'fernet_setup', ...as])
  await lab.run(controller, ['keystone-manage', 'credential_setup', ...as])
  const urls = ['admin', 'internal', 'public'].flatMap((kind) => [
    `--bootstrap-${kind}-url`,
    `http://${controller}:5000/v3/`,
  ])
  const bootstrap = ['keystone-manage', 'bootstrap', '--bootstrap-region-id', 'RegionOne', ...urls]
  // In the environment, which other users' `ps` does not show.
  await lab.run(controller, bootstrap, { env: { OS_BOOTSTRAP_PASSWORD: secrets.admin } })
  await lab.start(controller, 'openstack-keystone')
}

export async function register(lab: Lab, controller: string, registration: Registration): Promise<void> {
  const script = '/run/lab/program/src/cli/lab/cloud/register.ts'
  await lab.run(controller, ['/run/lab/bin/node', '--disable-warning=ExperimentalWarning', script], {
    input: JSON.stringify(registration),
  })
}

/** `203.0.113.1/24` is in `203.0.113.0/24`; prefixes of whole bytes. */
const cidrOf = (gateway: string): string => gateway.replace(/\d+\//, '0/')
