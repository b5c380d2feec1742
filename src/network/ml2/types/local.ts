/** Networks that reach as far as one host. */
import type { NetworkOptions } from '../../config.ts'
import { invalidInput } from '../../errors.ts'
import type { TypeDriver } from '../type-driver.ts'

export function localType(options: NetworkOptions): TypeDriver {
  const segment = { networkType: 'local', physicalNetwork: null, segmentationId: null }
  return {
    type: 'local',
    validate(wanted) {
      if (wanted.physicalNetwork !== undefined)
        throw invalidInput('physical_network prohibited for local provider network')
      if (wanted.segmentationId !== undefined)
        throw invalidInput('segmentation_id prohibited for local provider network')
    },
    reserve: async () => segment,
    allocate: async () => segment,
    release: async () => undefined,
    mtu: () => options.globalPhysnetMtu,
  }
}
