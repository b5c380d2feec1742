/** The options of `keystone.conf`. */
import { loggingOptions } from '../base/config/common/logging.ts'
import { policyOptions } from '../base/config/common/policy.ts'
import { type Config, choice, int, optional, port, text } from '../base/config/option.ts'
import { inSection, sectionOf } from '../base/config/section.ts'
import { type DatabaseSettings, databaseOptions } from '../base/db/options.ts'
import type { IdentityOptions } from './service.ts'

const server = { group: 'eventlet_server' } as const

export const keystoneOptions = {
  ...loggingOptions,
  ...policyOptions,
  ...inSection('database', 'database', databaseOptions),
  publicEndpoint: {
    name: 'public_endpoint',
    type: optional(text),
    default: null,
    help: 'Where clients reach identity: http://controller:5000. Default: as the request says.',
  },
  publicBindHost: {
    ...server,
    name: 'public_bind_host',
    type: text,
    default: '0.0.0.0',
    help: 'Address that the API listens on.',
  },
  publicPort: { ...server, name: 'public_port', type: port, default: 5000, help: 'Port of the API.' },
  adminBindHost: {
    ...server,
    name: 'admin_bind_host',
    type: text,
    default: '0.0.0.0',
    help: 'Address that the API listens on for administrators of old, who ask for port 35357.',
  },
  adminPort: {
    ...server,
    name: 'admin_port',
    type: port,
    default: 35_357,
    help: 'Second port of the same API; 0: none.',
  },
  publicWorkers: {
    ...server,
    name: 'public_workers',
    type: optional(int({ min: 1 })),
    default: null,
    help: 'Processes of the API. Default: as many as there are processors.',
  },
  tokenProvider: {
    group: 'token',
    name: 'provider',
    type: choice('fernet', 'jws'),
    default: 'fernet',
    help: 'Kind of tokens. They are signed and hold what they say, whichever is named.',
  },
  tokenExpiration: {
    group: 'token',
    name: 'expiration',
    type: int({ min: 0 }),
    default: 3600,
    help: 'Seconds that a token lasts.',
  },
  keyRepository: {
    group: 'fernet_tokens',
    name: 'key_repository',
    type: text,
    default: '/etc/keystone/fernet-keys/',
    help: 'Directory of the keys that tokens are signed with.',
  },
  maxActiveKeys: {
    group: 'fernet_tokens',
    name: 'max_active_keys',
    type: int({ min: 1 }),
    default: 3,
    help: 'How many keys a rotation leaves.',
  },
} as const

/** What the Identity service takes beside its database and log. */
export const identityOptionsOf = (
  config: Config<typeof keystoneOptions>,
): Pick<IdentityOptions, 'keyDirectory' | 'publicUrl' | 'tokenSeconds'> => ({
  keyDirectory: config.keyRepository,
  publicUrl: config.publicEndpoint ?? `http://127.0.0.1:${config.publicPort}`,
  tokenSeconds: config.tokenExpiration,
})

/** Pools and patience of the database; its URL is `databaseConnection`. */
export const databaseSettingsOf = (config: Config<typeof keystoneOptions>): DatabaseSettings =>
  sectionOf(config, 'database', databaseOptions)
