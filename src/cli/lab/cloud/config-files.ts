/** The configuration files of a lab's cloud: what OpenStack's installation guides set, and no more. */
import { controllerOf, type HostPlan, type LabPlan } from '../plan.ts'
import type { LabSecrets, ServiceName } from './secrets.ts'

type Section = Readonly<Record<string, string>>
/** Options by section. */
export type Ini = Readonly<Record<string, Section>>

export interface HostFile {
  path: string
  /** The user whose services read it. */
  owner: ServiceName | 'root'
  text: string
}

/** Databases of the cloud, with the user that each belongs to. */
export const databases: Readonly<Record<string, ServiceName>> = {
  keystone: 'keystone',
  glance: 'glance',
  placement: 'placement',
  nova_api: 'nova',
  nova_cell0: 'nova',
  nova: 'nova',
  neutron: 'neutron',
}

/** `more` is set besides, by the path of the file that it goes to. */
export function filesOfHost(
  plan: LabPlan,
  host: HostPlan,
  secrets: LabSecrets,
  more: Readonly<Record<string, Ini>> = {},
): HostFile[] {
  const controller = controllerOf(plan)
  const settings = settingsOf(plan, controller.name, secrets)
  const ini = (path: string, owner: ServiceName, sections: Ini): HostFile => ({
    path,
    owner,
    text: iniText(merge(sections, more[path] ?? {})),
  })
  const common = [
    ini('/etc/nova/nova.conf', 'nova', settings.nova(host)),
    ini('/etc/neutron/neutron.conf', 'neutron', settings.neutron(host)),
    ini('/etc/neutron/plugins/ml2/linuxbridge_agent.ini', 'neutron', settings.linuxbridge),
  ]
  if (host.name !== controller.name) return common
  return [
    ...common,
    ini('/etc/keystone/keystone.conf', 'keystone', {
      database: { connection: settings.url('keystone') },
      token: { provider: 'fernet' },
    }),
    ini('/etc/glance/glance-api.conf', 'glance', {
      database: { connection: settings.url('glance') },
      keystone_authtoken: settings.authtoken('glance'),
      glance_store: {
        stores: 'file,http',
        default_store: 'file',
        filesystem_store_datadir: '/var/lib/glance/images/',
      },
    }),
    ini('/etc/placement/placement.conf', 'placement', {
      placement_database: { connection: settings.url('placement') },
      keystone_authtoken: settings.authtoken('placement'),
    }),
    ini('/etc/neutron/plugins/ml2/ml2_conf.ini', 'neutron', {
      ml2: {
        type_drivers: 'flat,vlan',
        tenant_network_types: '',
        mechanism_drivers: 'linuxbridge',
        extension_drivers: 'port_security',
      },
      ml2_type_flat: { flat_networks: 'provider' },
      securitygroup: { enable_ipset: 'true' },
    }),
    ini('/etc/neutron/dhcp_agent.ini', 'neutron', {
      DEFAULT: {
        interface_driver: 'linuxbridge',
        dhcp_driver: 'neutron.agent.linux.dhcp.Dnsmasq',
        enable_isolated_metadata: 'true',
      },
    }),
    ini('/etc/neutron/metadata_agent.ini', 'neutron', {
      DEFAULT: { nova_metadata_host: controller.name, metadata_proxy_shared_secret: secrets.metadata },
    }),
    { path: '/root/admin-openrc', owner: 'root', text: openrc(controller.name, secrets) },
  ]
}

function settingsOf(plan: LabPlan, controller: string, secrets: LabSecrets) {
  const scheme = plan.database === 'mariadb' ? 'mysql+pymysql' : 'postgresql+psycopg2'
  const url = (database: string): string => {
    const owner = databases[database] ?? 'nova'
    return `${scheme}://${owner}:${secrets.database[owner]}@${controller}/${database}`
  }
  const login = (user: ServiceName): Section => ({
    auth_url: `http://${controller}:5000`,
    auth_type: 'password',
    project_domain_name: 'Default',
    user_domain_name: 'Default',
    project_name: 'service',
    username: user,
    password: secrets.user[user],
  })
  const authtoken = (user: ServiceName): Section => ({
    www_authenticate_uri: `http://${controller}:5000`,
    memcached_servers: `${controller}:11211`,
    ...login(user),
  })
  const transport_url = `rabbit://openstack:${secrets.rabbit}@${controller}`
  const isController = (host: HostPlan) => host.name === controller
  return {
    url,
    authtoken,
    nova: (host: HostPlan): Ini => ({
      DEFAULT: {
        ...(isController(host) ? { enabled_apis: 'osapi_compute,metadata' } : {}),
        transport_url,
        my_ip: host.address,
      },
      // Compute hosts reach no database: the conductor does it for them.
      ...(isController(host)
        ? { api_database: { connection: url('nova_api') }, database: { connection: url('nova') } }
        : {}),
      api: { auth_strategy: 'keystone' },
      keystone_authtoken: authtoken('nova'),
      glance: { api_servers: `http://${controller}:9292` },
      oslo_concurrency: { lock_path: '/var/lib/nova/tmp' },
      placement: { region_name: 'RegionOne', ...login('placement') },
      neutron: {
        region_name: 'RegionOne',
        ...login('neutron'),
        ...(isController(host)
          ? { service_metadata_proxy: 'true', metadata_proxy_shared_secret: secrets.metadata }
          : {}),
      },
      ...(isController(host) ? {} : { libvirt: { virt_type: 'qemu' } }),
    }),
    neutron: (host: HostPlan): Ini => ({
      DEFAULT: {
        ...(isController(host) ? { core_plugin: 'ml2', service_plugins: '' } : {}),
        transport_url,
        auth_strategy: 'keystone',
        ...(isController(host)
          ? { notify_nova_on_port_status_changes: 'true', notify_nova_on_port_data_changes: 'true' }
          : {}),
      },
      ...(isController(host)
        ? {
            database: { connection: url('neutron') },
            nova: { region_name: 'RegionOne', ...login('nova') },
          }
        : {}),
      keystone_authtoken: authtoken('neutron'),
      oslo_concurrency: { lock_path: '/var/lib/neutron/tmp' },
    }),
    linuxbridge: {
      linux_bridge: { physical_interface_mappings: `provider:${plan.providerInterface}` },
      vxlan: { enable_vxlan: 'false' },
      securitygroup: { enable_security_group: 'true', firewall_driver: 'iptables' },
    } satisfies Ini,
  }
}

function merge(one: Ini, other: Ini): Ini {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return Object.fromEntries([...names].map((name) => [name, { ...one[name], ...other[name] }]))
}

function iniText(sections: Ini): string {
  const blocks = Object.entries(sections).map(([name, options]) =>
    [`[${name}]`, ...Object.entries(options).map(([key, value]) => `${key} = ${value}`.trimEnd())].join('\n'),
  )
  return `${blocks.join('\n\n')}\n`
}

function openrc(controller: string, secrets: LabSecrets): string {
  const settings = {
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_NAME: 'admin',
    OS_USERNAME: 'admin',
    OS_PASSWORD: secrets.admin,
    OS_AUTH_URL: `http://${controller}:5000/v3`,
    OS_IDENTITY_API_VERSION: '3',
    OS_IMAGE_API_VERSION: '2',
  }
  return Object.entries(settings)
    .map(([name, value]) => `export ${name}=${value}\n`)
    .join('')
}
