/** What each service is made of, ours and the original one: what fills its databases, and its programs as units. */
import type { ServiceName } from '../../../src/cli/init/secrets.ts'
import type { Kind } from './cells.ts'

export const controller = 'controller'
export const compute = 'compute1'

export interface Program {
  host: typeof controller | typeof compute
  unit: string
}

export interface Service {
  /** Commands that fill its databases, to be run as its user. */
  syncs: readonly (readonly string[])[]
  programs: readonly Program[]
}

/** An original program: a unit that we write. */
export interface OriginalProgram extends Program {
  command: readonly string[]
  user: ServiceName | 'root'
}

const on = (host: Program['host'], ...units: string[]): Program[] => units.map((unit) => ({ host, unit }))

const cellsOfNova = (manage: readonly string[]) => [
  [...manage, 'api_db', 'sync'],
  [...manage, 'cell_v2', 'map_cell0'],
  [...manage, 'cell_v2', 'create_cell', '--name=cell1'],
  [...manage, 'db', 'sync'],
]

const ours: Readonly<Record<ServiceName, Service>> = {
  keystone: {
    syncs: [['keystone-manage', 'db_sync']],
    programs: on(controller, 'openstack-keystone'),
  },
  glance: {
    syncs: [['glance-manage', 'db_sync']],
    programs: on(controller, 'openstack-glance-api'),
  },
  placement: {
    syncs: [['placement-manage', 'db', 'sync']],
    programs: on(controller, 'openstack-placement-api'),
  },
  neutron: {
    syncs: [['neutron-db-manage', 'upgrade', 'head']],
    programs: [
      ...on(controller, 'neutron-server', 'neutron-linuxbridge-agent', 'neutron-dhcp-agent'),
      ...on(controller, 'neutron-metadata-agent'),
      ...on(compute, 'neutron-linuxbridge-agent'),
    ],
  },
  nova: {
    syncs: cellsOfNova(['nova-manage']),
    programs: [
      ...on(controller, 'openstack-nova-api', 'openstack-nova-conductor', 'openstack-nova-scheduler'),
      ...on(compute, 'libvirtd', 'openstack-nova-compute'),
    ],
  },
}

const launcher = '/run/lab/program/tests/host/swap/original.py'
const original = (...command: string[]) => ['/usr/bin/python3', launcher, ...command]

const program = (
  host: Program['host'],
  user: OriginalProgram['user'],
  ...command: string[]
): OriginalProgram => ({ host, user, unit: `original-${command[0]}`, command: original(...command) })

const neutronFiles = (...names: string[]) =>
  ['neutron.conf', ...names].flatMap((name) => ['--config-file', `/etc/neutron/${name}`])
const bridgeAgent = (host: Program['host']) =>
  program(host, 'root', 'neutron-linuxbridge-agent', ...neutronFiles('plugins/ml2/linuxbridge_agent.ini'))

export const originals: Readonly<Record<ServiceName, Service & { programs: readonly OriginalProgram[] }>> = {
  keystone: {
    syncs: [original('keystone-manage', 'db_sync')],
    programs: [program(controller, 'keystone', 'keystone-wsgi-public', '--port', '5000')],
  },
  glance: {
    syncs: [original('glance-manage', 'db_sync')],
    programs: [program(controller, 'glance', 'glance-api')],
  },
  placement: {
    syncs: [original('placement-manage', 'db', 'sync')],
    programs: [program(controller, 'placement', 'placement-api', '--port', '8778')],
  },
  neutron: {
    syncs: [original('neutron-db-manage', ...neutronFiles('plugins/ml2/ml2_conf.ini'), 'upgrade', 'heads')],
    programs: [
      program(controller, 'neutron', 'neutron-server', ...neutronFiles('plugins/ml2/ml2_conf.ini')),
      bridgeAgent(controller),
      program(controller, 'root', 'neutron-dhcp-agent', ...neutronFiles('dhcp_agent.ini')),
      program(controller, 'root', 'neutron-metadata-agent', ...neutronFiles('metadata_agent.ini')),
      bridgeAgent(compute),
    ],
  },
  nova: {
    syncs: cellsOfNova(original('nova-manage')),
    programs: [
      program(controller, 'nova', 'nova-api'),
      program(controller, 'nova', 'nova-conductor'),
      program(controller, 'nova', 'nova-scheduler'),
      program(compute, 'root', 'nova-compute'),
    ],
  },
}

export const serviceOf = (kind: Kind, name: ServiceName): Service =>
  kind === 'ours' ? ours[name] : originals[name]

/** The program that writes bootstrap's users and keys. */
export const keystoneManage = (kind: Kind): readonly string[] =>
  kind === 'ours' ? ['keystone-manage'] : original('keystone-manage')

/** What a service keeps in databases. */
export const databasesOf: Readonly<Record<ServiceName, readonly string[]>> = {
  keystone: ['keystone'],
  glance: ['glance'],
  placement: ['placement'],
  neutron: ['neutron'],
  nova: ['nova_api', 'nova_cell0', 'nova'],
}

/** Nothing restarts it: a program that ends is a failure to be seen. Killed at once: all that it has goes with the cell. */
export const unitText = ({ unit, command, user }: OriginalProgram): string => `[Unit]
Description=${unit}

[Service]
User=${user}
ExecStart=${command.join(' ')}
KillSignal=SIGKILL
`
