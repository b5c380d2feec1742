/** The configuration files of a host: what OpenStack's installation guides set, and no more. */
import { isIPv6 } from 'node:net'
import { type Ini, iniText, merge } from './ini.ts'
import type { ComputeSecrets, Secrets, ServiceName } from './secrets.ts'

export type Database = 'mariadb' | 'postgresql' | 'sqlite'

export interface HostSettings {
  /** Name or address by which every host, and every client, reaches the controller. */
  controller: string
  /** The host's own address in the management network. */
  address: string
  /** The NIC that the flat network `provider` is on. */
  providerInterface: string
  /** Of a compute host; what the processor can do, when it is not given. */
  virtType?: string
}

export interface HostFile {
  path: string
  /** The user whose services read it. */
  owner: ServiceName | 'root'
  text: string
}

/** What is set besides, by the path of the file that it goes to. */
export type More = Readonly<Record<string, Ini>>

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

/** As it stands in a URL. */
export const inUrl = (host: string): string => (isIPv6(host) ? `[${host}]` : host)

/** The URL of a database, on the controller. */
export function databaseUrl(
  { controller, database }: { controller: string; database: Database },
  passwords: Secrets['database'],
  name: string,
): string {
  const owner = databases[name] ?? 'nova'
  if (database === 'sqlite') return `sqlite:////var/lib/${owner}/${name}.sqlite`
  const scheme = database === 'mariadb' ? 'mysql+pymysql' : 'postgresql+psycopg2'
  return `${scheme}://${owner}:${passwords[owner]}@${inUrl(controller)}/${name}`
}

export function computeFiles(settings: HostSettings, secrets: ComputeSecrets, more: More = {}): HostFile[] {
  const { nova, neutron, linuxbridge } = common(settings, secrets)
  const { virtType } = settings
  return files(more, [
    [
      '/etc/nova/nova.conf',
      'nova',
      virtType === undefined ? nova : { ...nova, libvirt: { virt_type: virtType } },
    ],
    ['/etc/neutron/neutron.conf', 'neutron', neutron],
    ['/etc/neutron/plugins/ml2/linuxbridge_agent.ini', 'neutron', linuxbridge],
  ])
}

/** Compute hosts reach no database: the files of the controller alone name them. */
export function controllerFiles(
  settings: HostSettings & { database: Database },
  secrets: Secrets,
  more: More = {},
): HostFile[] {
  const { nova, neutron, linuxbridge, login, authtoken } = common<ServiceName>(settings, secrets)
  const { controller } = settings
  const database = (name: string) => ({ connection: databaseUrl(settings, secrets.database, name) })
  return files(more, [
    [
      '/etc/nova/nova.conf',
      'nova',
      merge(nova, {
        DEFAULT: { enabled_apis: 'osapi_compute,metadata' },
        api_database: database('nova_api'),
        database: database('nova'),
        neutron: { service_metadata_proxy: 'true', metadata_proxy_shared_secret: secrets.metadata },
      }),
    ],
    [
      '/etc/neutron/neutron.conf',
      'neutron',
      merge(neutron, {
        DEFAULT: {
          core_plugin: 'ml2',
          service_plugins: '',
          notify_nova_on_port_status_changes: 'true',
          notify_nova_on_port_data_changes: 'true',
        },
        database: database('neutron'),
        nova: { region_name: 'RegionOne', ...login('nova') },
      }),
    ],
    ['/etc/neutron/plugins/ml2/linuxbridge_agent.ini', 'neutron', linuxbridge],
    [
      '/etc/keystone/keystone.conf',
      'keystone',
      { database: database('keystone'), token: { provider: 'fernet' } },
    ],
    [
      '/etc/glance/glance-api.conf',
      'glance',
      {
        database: database('glance'),
        keystone_authtoken: authtoken('glance'),
        glance_store: {
          stores: 'file,http',
          default_store: 'file',
          filesystem_store_datadir: '/var/lib/glance/images/',
        },
      },
    ],
    [
      '/etc/placement/placement.conf',
      'placement',
      { placement_database: database('placement'), keystone_authtoken: authtoken('placement') },
    ],
    [
      '/etc/neutron/plugins/ml2/ml2_conf.ini',
      'neutron',
      {
        ml2: {
          type_drivers: 'flat,vlan',
          tenant_network_types: '',
          mechanism_drivers: 'linuxbridge',
          extension_drivers: 'port_security',
        },
        ml2_type_flat: { flat_networks: 'provider' },
        securitygroup: { enable_ipset: 'true' },
      },
    ],
    [
      '/etc/neutron/dhcp_agent.ini',
      'neutron',
      {
        DEFAULT: {
          interface_driver: 'linuxbridge',
          dhcp_driver: 'neutron.agent.linux.dhcp.Dnsmasq',
          enable_isolated_metadata: 'true',
        },
      },
    ],
    [
      '/etc/neutron/metadata_agent.ini',
      'neutron',
      { DEFAULT: { nova_metadata_host: controller, metadata_proxy_shared_secret: secrets.metadata } },
    ],
  ])
}

const files = (more: More, all: readonly (readonly [path: string, owner: ServiceName, sections: Ini])[]) =>
  all.map(([path, owner, sections]) => ({ path, owner, text: iniText(merge(sections, more[path] ?? {})) }))

/** What stands in the files of both roles. `User`: those whose passwords are known beside a compute host's. */
function common<User extends string = never>(
  settings: HostSettings,
  secrets: { rabbit: string; user: Readonly<Record<User | keyof ComputeSecrets['user'], string>> },
) {
  const host = inUrl(settings.controller)
  const login = (user: User | keyof ComputeSecrets['user']) => ({
    auth_url: `http://${host}:5000`,
    auth_type: 'password',
    project_domain_name: 'Default',
    user_domain_name: 'Default',
    project_name: 'service',
    username: user,
    password: secrets.user[user],
  })
  const authtoken = (user: User | keyof ComputeSecrets['user']) => ({
    www_authenticate_uri: `http://${host}:5000`,
    memcached_servers: `${host}:11211`,
    ...login(user),
  })
  const transport_url = `rabbit://openstack:${secrets.rabbit}@${host}`
  return {
    login,
    authtoken,
    nova: {
      DEFAULT: { transport_url, my_ip: settings.address },
      api: { auth_strategy: 'keystone' },
      keystone_authtoken: authtoken('nova'),
      glance: { api_servers: `http://${host}:9292` },
      oslo_concurrency: { lock_path: '/var/lib/nova/tmp' },
      placement: { region_name: 'RegionOne', ...login('placement') },
      neutron: { region_name: 'RegionOne', ...login('neutron') },
    } satisfies Ini,
    neutron: {
      DEFAULT: { transport_url, auth_strategy: 'keystone' },
      keystone_authtoken: authtoken('neutron'),
      oslo_concurrency: { lock_path: '/var/lib/neutron/tmp' },
    } satisfies Ini,
    linuxbridge: {
      linux_bridge: { physical_interface_mappings: `provider:${settings.providerInterface}` },
      vxlan: { enable_vxlan: 'false' },
      securitygroup: { enable_security_group: 'true', firewall_driver: 'iptables' },
    } satisfies Ini,
  }
}

/** The administrator's environment. */
export function openrc(controller: string, password: string): string {
  const settings = {
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_NAME: 'admin',
    OS_USERNAME: 'admin',
    OS_PASSWORD: password,
    OS_AUTH_URL: `http://${inUrl(controller)}:5000/v3`,
    OS_IDENTITY_API_VERSION: '3',
    OS_IMAGE_API_VERSION: '2',
  }
  return Object.entries(settings)
    .map(([name, value]) => `export ${name}=${value}\n`)
    .join('')
}
