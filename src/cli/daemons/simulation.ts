import { join } from 'node:path'
import type { simulationOptions } from '../../base/config/common/simulation.ts'
import type { Config } from '../../base/config/option.ts'

/** Where the simulated guests of a host and its simulated network meet. */
export const tapsDirectory = (config: Config<typeof simulationOptions>, host: string): string =>
  join(config.simulatedPath, host, 'taps')
