/** The options of `nova.conf`, which all of nova's programs read: one table, and functions that give each its part. */
import { messagingOptions } from '../../base/bus/options.ts'
import { keystoneAuthtoken } from '../../base/config/common/auth.ts'
import { connectionOptions } from '../../base/config/common/connection.ts'
import { hostOptions, myIpOptions } from '../../base/config/common/host.ts'
import { loggingOptions } from '../../base/config/common/logging.ts'
import { osloOptions } from '../../base/config/common/oslo.ts'
import { simulationOptions } from '../../base/config/common/simulation.ts'
import { inSection } from '../../base/config/section.ts'
import { agentOptions } from './agent.ts'
import { apiOptions } from './api.ts'
import { clientsOptions } from './clients.ts'
import { conductorOptions, resourceOptions, schedulerOptions } from './control.ts'

export const novaOptions = {
  ...loggingOptions,
  ...messagingOptions,
  ...hostOptions,
  ...myIpOptions,
  ...osloOptions,
  ...keystoneAuthtoken,
  ...inSection('api_database', 'apiDatabase', connectionOptions),
  ...inSection('database', 'database', connectionOptions),
  ...apiOptions,
  ...conductorOptions,
  ...resourceOptions,
  ...schedulerOptions,
  ...agentOptions,
  ...simulationOptions,
  ...clientsOptions,
} as const
