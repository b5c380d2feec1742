/** What is to be done once a host has its files, as commands that can be pasted. */
import type { ControllerStore } from './store.ts'

const asUser = `as() { su -s /bin/sh -c "$2" "$1"; }`

/** As root, on the controller. */
export function controllerSteps(
  { settings }: Pick<ControllerStore, 'settings'>,
  directory: string,
): string[] {
  const { database } = settings
  // By standard input, for `ps` shows a command line to everyone.
  const password = `sed -nE 's#^transport_url = rabbit://openstack:(.*)@.*#\\1#p' ${directory}/nova/nova.conf`
  const admin = database === 'postgresql' ? ' --admin-url postgresql://postgres:PASSWORD@HOST/postgres' : ''
  return [
    'kilonova units && systemctl daemon-reload',
    ...(database === 'sqlite' ? [] : [`kilonova db create${admin}`]),
    `${password} | rabbitmqctl add_user openstack && rabbitmqctl set_permissions openstack '.*' '.*' '.*'`,
    asUser,
    `as keystone 'keystone-manage db_sync'`,
    'keystone-manage fernet_setup --keystone-user keystone --keystone-group keystone',
    'keystone-manage credential_setup --keystone-user keystone --keystone-group keystone',
    `as glance 'glance-manage db_sync'; as placement 'placement-manage db sync'`,
    `as nova 'nova-manage api_db sync && nova-manage cell_v2 map_cell0 && nova-manage cell_v2 create_cell --name=cell1 && nova-manage db sync'`,
    `as neutron 'neutron-db-manage upgrade head'`,
    'systemctl enable --now openstack-keystone && kilonova bootstrap',
    'systemctl enable --now openstack-{glance-api,placement-api,nova-api,nova-conductor,nova-scheduler,nova-consoleauth}',
    'systemctl enable --now neutron-{server,linuxbridge-agent,dhcp-agent,metadata-agent}',
    `. ${directory}/kilonova/admin-openrc; openstack compute service list`,
    `# Each compute host needs ${directory}/kilonova/compute.secrets, which is secret:`,
    `scp ${directory}/kilonova/compute.secrets COMPUTE:/root/ && ssh COMPUTE kilonova init compute --secrets /root/compute.secrets`,
  ]
}

/** As root, on a compute host. */
export const computeSteps = (): string[] => [
  'kilonova units nova-compute neutron-linuxbridge-agent && systemctl daemon-reload',
  'systemctl enable --now libvirtd openstack-nova-compute neutron-linuxbridge-agent',
]
