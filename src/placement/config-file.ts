/** The options of `placement.conf`. */
import { keystoneAuthtoken } from '../base/config/common/auth.ts'
import { loggingOptions } from '../base/config/common/logging.ts'
import { policyOptions } from '../base/config/common/policy.ts'
import { type Config, choice, int, optional, port, text } from '../base/config/option.ts'
import { inSection, sectionOf } from '../base/config/section.ts'
import { type DatabaseSettings, databaseOptions } from '../base/db/options.ts'
import { placementOptions } from './config.ts'

export const placementFileOptions = {
  ...loggingOptions,
  ...policyOptions,
  ...keystoneAuthtoken,
  ...inSection('placement_database', 'database', databaseOptions),
  /** Where the tables are when placement is set up in nova.conf and has no database of its own. */
  ...inSection('api_database', 'apiDatabase', databaseOptions),
  ...placementOptions,
  authStrategy: {
    group: 'api',
    name: 'auth_strategy',
    type: choice('keystone', 'noauth2'),
    default: 'keystone',
    help: 'Who says who a caller is: keystone, or for tests noauth2, where the token is the name.',
  },
  bindHost: { name: 'bind_host', type: text, default: '0.0.0.0', help: 'Address that the API listens on.' },
  bindPort: { name: 'bind_port', type: port, default: 8778, help: 'Port of the API.' },
  workers: {
    name: 'workers',
    type: optional(int({ min: 1 })),
    default: null,
    help: 'Processes of the API. Default: as many as there are processors.',
  },
} as const

/** Pools and patience of the database; its URL is `databaseConnection`. */
export const databaseSettingsOf = (config: Config<typeof placementFileOptions>): DatabaseSettings =>
  sectionOf(config, 'database', databaseOptions)
