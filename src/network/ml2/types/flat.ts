/** One network for each physical network, without tags. */
import type { NetworkOptions } from '../../config.ts'
import { conflict, invalidInput } from '../../errors.ts'
import { releaseSegment, takeSegment } from '../allocations.ts'
import { physicalMtu } from '../mtu.ts'
import type { TypeDriver } from '../type-driver.ts'

export function flatType(options: NetworkOptions): TypeDriver {
  const place = (physicalNetwork: string) => ({ networkType: 'flat', physicalNetwork })
  return {
    type: 'flat',
    validate({ physicalNetwork, segmentationId }) {
      if (physicalNetwork === undefined)
        throw invalidInput('physical_network required for flat provider network')
      if (options.flatNetworks.length === 0) throw invalidInput('Flat provider networks are disabled')
      if (!options.flatNetworks.includes('*') && !options.flatNetworks.includes(physicalNetwork))
        throw invalidInput(`physical_network '${physicalNetwork}' unknown for flat provider network`)
      if (segmentationId !== undefined)
        throw invalidInput('segmentation_id prohibited for flat provider network')
    },
    async reserve(work, wanted) {
      const physicalNetwork = wanted.physicalNetwork!
      if (!(await takeSegment(work, place(physicalNetwork), 0))) {
        throw conflict(
          'FlatNetworkInUse',
          `Unable to create the flat network. Physical network ${physicalNetwork} is in use.`,
        )
      }
      return { networkType: 'flat', physicalNetwork, segmentationId: null }
    },
    // Which wire a project's traffic is put on is an admin's choice.
    allocate: async () => undefined,
    release: (work, segment) => releaseSegment(work, place(segment.physicalNetwork!), 0),
    mtu: (physicalNetwork) => physicalMtu(options, physicalNetwork),
  }
}
