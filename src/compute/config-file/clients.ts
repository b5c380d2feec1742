/** The services that nova calls, as `nova.conf` names them. */
import {
  type AdapterSettings,
  adapterOptions,
  type ClientSettings,
  clientOptions,
  sessionOptions,
} from '../../base/config/common/auth.ts'
import { bool, type Config, list, text } from '../../base/config/option.ts'
import { inSection, sectionOf } from '../../base/config/section.ts'

const findOptions = { ...adapterOptions, ...sessionOptions } as const

export const clientsOptions = {
  ...inSection('placement', 'placement', clientOptions, {
    regionName: ['os_region_name'],
    validInterfaces: ['os_interface'],
  }),
  ...inSection('neutron', 'neutron', clientOptions, { endpointOverride: ['url'] }),
  ...inSection('keystone', 'keystone', findOptions),
  ...inSection('glance', 'glance', findOptions),
  ...inSection('service_user', 'serviceUser', clientOptions),
  serviceUserSendToken: {
    group: 'service_user',
    name: 'send_service_user_token',
    type: bool,
    default: false,
    help: 'Send a token of this user beside the one of the caller.',
  },
  glanceApiServers: {
    group: 'glance',
    name: 'api_servers',
    type: list(),
    default: [],
    help: 'Addresses of the Image service, asked in turn: http://controller:9292. Default: as the catalog says.',
  },
  serviceMetadataProxy: {
    group: 'neutron',
    name: 'service_metadata_proxy',
    type: bool,
    default: false,
    help: "Requests for metadata come from neutron's metadata agent, which signs whom it speaks for. Else guests ask themselves, and are known by their address alone.",
  },
  metadataProxySharedSecret: {
    group: 'neutron',
    name: 'metadata_proxy_shared_secret',
    type: text,
    default: '',
    help: 'What the metadata agent signs with: the same as in its metadata_agent.ini.',
    secret: true,
    deprecated: ['DEFAULT.neutron_metadata_proxy_shared_secret'],
  },
} as const

type ClientsConfig = Config<typeof clientsOptions>

export const placementClientOf = (config: ClientsConfig): ClientSettings =>
  sectionOf(config, 'placement', clientOptions)
export const neutronClientOf = (config: ClientsConfig): ClientSettings =>
  sectionOf(config, 'neutron', clientOptions)
export const serviceUserOf = (config: ClientsConfig): ClientSettings =>
  sectionOf(config, 'serviceUser', clientOptions)
export const keystoneAdapterOf = (config: ClientsConfig): AdapterSettings =>
  sectionOf(config, 'keystone', findOptions)
export const glanceAdapterOf = (config: ClientsConfig): AdapterSettings =>
  sectionOf(config, 'glance', findOptions)
