/** The options of `nova.conf`, which all of nova's programs read: one table, and functions that give each its part. */
import { messagingOptions } from '../../base/bus/options.ts'
import { keystoneAuthtoken } from '../../base/config/common/auth.ts'
import { hostOptions, myIpOptions } from '../../base/config/common/host.ts'
import { lockOptions } from '../../base/config/common/locks.ts'
import { loggingOptions } from '../../base/config/common/logging.ts'
import { policyOptions } from '../../base/config/common/policy.ts'
import { simulationOptions } from '../../base/config/common/simulation.ts'
import type { Config } from '../../base/config/option.ts'
import { inSection, sectionOf } from '../../base/config/section.ts'
import { type DatabaseSettings, databaseOptions } from '../../base/db/options.ts'
import { agentOptions } from './agent.ts'
import { apiOptions } from './api.ts'
import { clientsOptions } from './clients.ts'
import { conductorOptions, resourceOptions, schedulerOptions } from './control.ts'

export const novaOptions = {
  ...loggingOptions,
  ...messagingOptions,
  ...hostOptions,
  ...lockOptions,
  ...myIpOptions,
  ...policyOptions,
  ...keystoneAuthtoken,
  ...inSection('api_database', 'apiDatabase', databaseOptions),
  ...inSection('database', 'database', databaseOptions),
  ...apiOptions,
  ...conductorOptions,
  ...resourceOptions,
  ...schedulerOptions,
  ...agentOptions,
  ...simulationOptions,
  ...clientsOptions,
} as const

type NovaConfig = Config<typeof novaOptions>

/** Pools and patience of the API database; its URL is `apiDatabaseConnection`. */
export const apiDatabaseSettingsOf = (config: NovaConfig): DatabaseSettings =>
  sectionOf(config, 'apiDatabase', databaseOptions)

/** Pools and patience of cell databases; the URL of this one is `databaseConnection`. */
export const databaseSettingsOf = (config: NovaConfig): DatabaseSettings =>
  sectionOf(config, 'database', databaseOptions)
