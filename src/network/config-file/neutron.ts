/** The options of `neutron.conf` and `ml2_conf.ini` as neutron-server reads them. */
import { messagingOptions } from '../../base/bus/options.ts'
import { type ClientSettings, clientOptions, keystoneAuthtoken } from '../../base/config/common/auth.ts'
import { hostOptions } from '../../base/config/common/host.ts'
import { loggingOptions } from '../../base/config/common/logging.ts'
import { policyOptions } from '../../base/config/common/policy.ts'
import { type Config, choice, int, list, optional, port, text } from '../../base/config/option.ts'
import { inSection, sectionOf } from '../../base/config/section.ts'
import { type DatabaseSettings, databaseOptions } from '../../base/db/options.ts'
import { networkConfigOptions } from './behaviour.ts'
import { servicePlugin } from './service-plugins.ts'

const ml2Plugins = ['ml2', 'neutron.plugins.ml2.plugin.Ml2Plugin'] as const

/** What neutron-db-manage reads: a slip elsewhere is no reason to leave the database as it is. */
export const neutronDatabaseOptions = inSection('database', 'database', databaseOptions)

export const neutronServerOptions = {
  ...loggingOptions,
  ...messagingOptions,
  ...hostOptions,
  ...policyOptions,
  ...keystoneAuthtoken,
  ...neutronDatabaseOptions,
  ...inSection('nova', 'nova', clientOptions),
  ...networkConfigOptions,
  bindHost: {
    name: 'bind_host',
    type: text,
    default: '0.0.0.0',
    help: 'Address that the API listens on.',
  },
  bindPort: { name: 'bind_port', type: port, default: 9696, help: 'Port of the API.' },
  apiWorkers: {
    name: 'api_workers',
    type: optional(int({ min: 0 })),
    default: null,
    help: 'Processes of the API. Default: as many as there are processors.',
  },
  authStrategy: {
    name: 'auth_strategy',
    type: choice('keystone', 'noauth'),
    default: 'keystone',
    help: 'Who says who a caller is: keystone, or for tests noauth, where headers do.',
  },
  corePlugin: {
    name: 'core_plugin',
    type: choice(...ml2Plugins),
    default: 'ml2',
    help: 'How networks are made: ml2.',
  },
  servicePlugins: {
    name: 'service_plugins',
    type: list(servicePlugin),
    default: [],
    help: 'What there is beside networks. Those that neutron loads in any case are always there; naming any other stops the start.',
  },
} as const

/** Whom network tells of ports: `[nova]`. */
export const novaClientOf = (config: Config<typeof neutronServerOptions>): ClientSettings =>
  sectionOf(config, 'nova', clientOptions)

/** Pools and patience of the database; its URL is `databaseConnection`. */
export const databaseSettingsOf = (config: Config<typeof neutronServerOptions>): DatabaseSettings =>
  sectionOf(config, 'database', databaseOptions)
