/**
 * keystoneauth's options: the user that a service is at another, and how that other is found. They stand in
 * `[keystone_authtoken]`, `[placement]`, `[neutron]`, `[nova]`, `[glance]`, `[service_user]`, …
 */
import { bool, type Config, choice, choiceInAnyCase, float, int, list, optional, text } from '../option.ts'
import { inSection, sectionOf } from '../section.ts'

export const authOptions = {
  authType: {
    name: 'auth_type',
    type: optional(
      choice('password', 'v3password', 'v3applicationcredential', 'v3token', 'token', 'none', 'noauth'),
    ),
    default: null,
    help: 'How the service proves who it is: password, v3applicationcredential, token or none.',
    deprecated: ['auth_plugin'],
  },
  authUrl: {
    name: 'auth_url',
    type: optional(text),
    default: null,
    help: 'Where identity is reached: http://controller:5000, with or without a version.',
  },
  username: {
    name: 'username',
    type: optional(text),
    default: null,
    help: 'Name of the service user.',
    deprecated: ['user-name', 'user_name'],
  },
  userId: { name: 'user_id', type: optional(text), default: null, help: 'Id of the service user.' },
  password: {
    name: 'password',
    type: optional(text),
    default: null,
    help: 'Password of the service user.',
    secret: true,
  },
  userDomainName: {
    name: 'user_domain_name',
    type: optional(text),
    default: null,
    help: 'Domain of the user.',
  },
  userDomainId: {
    name: 'user_domain_id',
    type: optional(text),
    default: null,
    help: 'Id of the domain of the user.',
  },
  projectName: {
    name: 'project_name',
    type: optional(text),
    default: null,
    help: 'Project that the user works in.',
    deprecated: ['tenant-name', 'tenant_name'],
  },
  projectId: {
    name: 'project_id',
    type: optional(text),
    default: null,
    help: 'Id of the project that the user works in.',
    deprecated: ['tenant-id', 'tenant_id'],
  },
  projectDomainName: {
    name: 'project_domain_name',
    type: optional(text),
    default: null,
    help: 'Domain of the project.',
  },
  projectDomainId: {
    name: 'project_domain_id',
    type: optional(text),
    default: null,
    help: 'Id of the domain of the project.',
  },
  defaultDomainName: {
    name: 'default_domain_name',
    type: optional(text),
    default: null,
    help: 'Domain of user and project where they have none of their own here.',
  },
  defaultDomainId: {
    name: 'default_domain_id',
    type: optional(text),
    default: null,
    help: 'Id of the domain of user and project where they have none of their own here.',
  },
  systemScope: {
    name: 'system_scope',
    type: optional(text),
    default: null,
    help: '`all`: the user works on the whole cloud, in no project.',
  },
  token: {
    name: 'token',
    type: optional(text),
    default: null,
    help: 'A token, for auth_type token.',
    secret: true,
  },
  applicationCredentialId: {
    name: 'application_credential_id',
    type: optional(text),
    default: null,
    help: 'Id of an application credential, for auth_type v3applicationcredential.',
  },
  applicationCredentialName: {
    name: 'application_credential_name',
    type: optional(text),
    default: null,
    help: 'Name of an application credential of the user.',
  },
  applicationCredentialSecret: {
    name: 'application_credential_secret',
    type: optional(text),
    default: null,
    help: 'Secret of the application credential.',
    secret: true,
  },
} as const

/** How another service is found, and how connections to it are made. */
export const adapterOptions = {
  serviceType: {
    name: 'service_type',
    type: optional(text),
    default: null,
    help: 'Type of the service in the catalog.',
  },
  regionName: {
    name: 'region_name',
    type: optional(text),
    default: null,
    help: 'Region whose endpoint is used.',
  },
  validInterfaces: {
    name: 'valid_interfaces',
    type: list(),
    default: ['internal', 'public'],
    help: 'Kinds of endpoints, the first that the catalog has is used.',
  },
  endpointOverride: {
    name: 'endpoint_override',
    type: optional(text),
    default: null,
    help: 'Where the service is reached, whatever the catalog says.',
  },
} as const

/** How connections to another service are made. */
export const sessionOptions = {
  cafile: {
    name: 'cafile',
    type: optional(text),
    default: null,
    help: 'PEM file of the authorities that the other side is checked with.',
  },
  certfile: { name: 'certfile', type: optional(text), default: null, help: 'PEM file of our certificate.' },
  keyfile: { name: 'keyfile', type: optional(text), default: null, help: 'PEM file of our key.' },
  insecure: {
    name: 'insecure',
    type: bool,
    default: false,
    help: 'Do not check the certificate of the other side.',
  },
} as const

/** A service user and the service it calls: `[placement]`, `[neutron]`, `[nova]`. */
export const clientOptions = { ...authOptions, ...adapterOptions, ...sessionOptions } as const

/** `[keystone_authtoken]`: how a service checks the tokens that it is given. */
export const authtokenOptions = {
  ...authOptions,
  ...sessionOptions,
  wwwAuthenticateUri: {
    name: 'www_authenticate_uri',
    type: optional(text),
    default: null,
    help: 'Where clients without a token are sent: the public address of identity. Default: auth_url.',
    deprecated: ['auth_uri'],
  },
  regionName: adapterOptions.regionName,
  memcachedServers: {
    name: 'memcached_servers',
    type: list(),
    default: [],
    help: 'memcached servers that remember valid tokens, host:port. Without any, each process remembers its own.',
    deprecated: ['memcache_servers'],
  },
  tokenCacheTime: {
    name: 'token_cache_time',
    type: int({ min: -1 }),
    default: 300,
    help: 'For how many seconds a token is believed after it was checked; -1: not at all.',
  },
  memcacheSecurityStrategy: {
    name: 'memcache_security_strategy',
    type: choiceInAnyCase('None', 'MAC', 'ENCRYPT'),
    default: 'None',
    help: 'Whether what stands in memcached is signed (MAC), or signed and encrypted (ENCRYPT).',
  },
  memcacheSecretKey: {
    name: 'memcache_secret_key',
    type: optional(text),
    default: null,
    help: 'The secret for memcache_security_strategy, the same in all services that share the servers.',
    secret: true,
  },
  memcachePoolDeadRetry: {
    name: 'memcache_pool_dead_retry',
    type: int({ min: 0 }),
    default: 30,
    help: 'For how many seconds a memcached server that failed is left alone. keystonemiddleware has 300 as its default.',
  },
  memcachePoolSocketTimeout: {
    name: 'memcache_pool_socket_timeout',
    type: float({ min: 0.01 }),
    default: 1,
    help: 'How many seconds a memcached server may take to answer. keystonemiddleware has 3 as its default.',
  },
} as const

export const keystoneAuthtoken = inSection('keystone_authtoken', 'authtoken', authtokenOptions)

export type AuthSettings = Config<typeof authOptions>
export type AdapterSettings = Config<typeof adapterOptions>
export type SessionSettings = Config<typeof sessionOptions>
export type ClientSettings = Config<typeof clientOptions>
export type AuthtokenSettings = Config<typeof authtokenOptions>

/** `[keystone_authtoken]` of any program whose table holds it. */
export const authtokenOf = (config: Config<typeof keystoneAuthtoken>): AuthtokenSettings =>
  sectionOf(config, 'authtoken', authtokenOptions)

/** Whether a section names a user at all: `[service_user]` and others may be left out. */
export const hasAuth = (settings: AuthSettings): boolean =>
  settings.authType !== null && settings.authType !== 'none' && settings.authType !== 'noauth'
