/** OpenStack's programs as systemd units, under the names that installation guides start them by. */
import { join } from 'node:path'
import { type ProgramName, programs } from '../config/programs.ts'
import { daemons } from '../daemons/table.ts'
import { layout } from '../up/settings.ts'

/** Packages of RDO, which the guides speak of, name nova's, glance's and keystone's units so. */
export const unitNames: Readonly<Record<ProgramName, string>> = {
  'nova-api': 'openstack-nova-api',
  'nova-api-metadata': 'openstack-nova-metadata-api',
  'nova-conductor': 'openstack-nova-conductor',
  'nova-scheduler': 'openstack-nova-scheduler',
  'nova-compute': 'openstack-nova-compute',
  'nova-consoleauth': 'openstack-nova-consoleauth',
  'neutron-server': 'neutron-server',
  'neutron-linuxbridge-agent': 'neutron-linuxbridge-agent',
  'neutron-dhcp-agent': 'neutron-dhcp-agent',
  'neutron-metadata-agent': 'neutron-metadata-agent',
  'placement-api': 'openstack-placement-api',
  keystone: 'openstack-keystone',
  'glance-api': 'openstack-glance-api',
}

/** These work on the host itself, devices, rules, guests and daemons, and have done by a helper what only root may. */
const withHelper: ReadonlySet<ProgramName> = new Set([
  'nova-compute',
  'neutron-linuxbridge-agent',
  'neutron-dhcp-agent',
])

export const userOf = (program: ProgramName): string => programs[program].project

/** Groups of the host that a program's user is to be in: libvirt's socket, and the device that runs guests. */
export const groupsOf = (program: ProgramName): readonly string[] =>
  program === 'nova-compute' ? ['libvirt', 'kvm'] : []

/** Whether it needs sudo's leave to start its privileged helper. */
export const needsHelper = (program: ProgramName): boolean => withHelper.has(program)

export const targetName = 'kilonova.target'

/** Starts, and stops, every program that is enabled on this host. */
export const targetText = (): string =>
  [
    '[Unit]',
    "Description=OpenStack's programs of this host",
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n')

/** The cloud of one machine that `kilonova up` made, from the next start of the machine on. */
export const cloudUnitText = (home: string, stateDir: string): string =>
  [
    '[Unit]',
    'Description=A cloud of one machine, made by kilonova up',
    `ConditionPathExists=${layout(stateDir).settings}`,
    'Wants=network-online.target',
    'After=network-online.target',
    '',
    '[Service]',
    'Type=notify',
    'NotifyAccess=all',
    'TimeoutStartSec=infinity',
    `ExecStart=${join(home, 'kilonova')} serve --state-dir ${stateDir}`,
    // Guests, dnsmasq and haproxy outlive it.
    'KillMode=process',
    'Restart=on-failure',
    'RestartSec=2',
    'LimitNOFILE=65536',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n')

/**
 * The text of a program's unit. `home` is where this program is; `groups` are those of `groupsOf` that the host has, for
 * systemd starts nothing with one that is not there.
 */
export function unitText(
  program: ProgramName,
  home: string,
  groups: readonly string[] = groupsOf(program),
): string {
  const { project } = programs[program]
  const helped = needsHelper(program)
  return [
    '[Unit]',
    `Description=${program}: ${daemons[program].description}`,
    'Wants=network-online.target',
    // What is started or stopped as a whole is so by the target; what is not enabled on this host it leaves alone.
    `PartOf=${targetName}`,
    'After=network-online.target mariadb.service postgresql.service rabbitmq-server.service memcached.service libvirtd.service',
    '',
    '[Service]',
    'Type=notify',
    // The command that tells systemd is a child of the program.
    'NotifyAccess=all',
    // A program waits for what it needs as long as that takes, and says for what: no order of starts is wrong.
    'TimeoutStartSec=infinity',
    `User=${userOf(program)}`,
    ...(groups.length > 0 ? [`SupplementaryGroups=${groups.join(' ')}`] : []),
    `StateDirectory=${project}`,
    `LogsDirectory=${project}`,
    // sudo is a new privilege, and a namespace that a helper makes must be seen outside of the unit.
    ...(helped ? [] : ['NoNewPrivileges=yes', 'PrivateTmp=yes']),
    `ExecStart=${join(home, 'bin', program)}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    // Guests, dnsmasq and haproxy outlive the agent that started them; workers do not outlive their primary.
    `KillMode=${helped ? 'process' : 'mixed'}`,
    'Restart=always',
    'RestartSec=2',
    'WatchdogSec=60',
    'LimitNOFILE=65536',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    `WantedBy=${targetName}`,
    // Debian's packages have the names without `openstack-`.
    ...(unitNames[program] === program ? [] : [`Alias=${program}.service`]),
    '',
  ].join('\n')
}
