/** Networks in UDP between the hosts, told apart by their VNI. */
import type { NetworkOptions } from '../../config.ts'
import { conflict, invalidInput, neutronFault } from '../../errors.ts'
import { releaseSegment, takeAnySegment, takeSegment } from '../allocations.ts'
import { tunnelMtu } from '../mtu.ts'
import type { Segment, TypeDriver } from '../type-driver.ts'

/** Outer IPv4 header, UDP, VXLAN and the inner Ethernet header. */
const overheadBytes = 50

export function vxlanType(options: NetworkOptions): TypeDriver {
  const place = { networkType: 'vxlan', physicalNetwork: '' }
  const ranges = options.vniRanges.map((entry) => {
    const [first, last] = entry.split(':').map(Number)
    return { first: first!, last: last! }
  })
  const segment = (segmentationId: number): Segment => ({
    networkType: 'vxlan',
    physicalNetwork: null,
    segmentationId,
  })
  return {
    type: 'vxlan',
    validate({ physicalNetwork, segmentationId }) {
      if (physicalNetwork !== undefined)
        throw invalidInput('provider:physical_network specified for vxlan network')
      if (segmentationId !== undefined && (segmentationId < 1 || segmentationId >= 1 << 24))
        throw invalidInput('segmentation_id out of range (1 through 16777215)')
    },
    async reserve(work, { segmentationId }) {
      if (segmentationId === undefined) {
        const id = await takeAnySegment(work, place, ranges)
        if (id !== undefined) return segment(id)
        throw neutronFault(
          'unavailable',
          'NoNetworkAvailable',
          'Unable to create the network. No tenant network is available for allocation.',
        )
      }
      if (!(await takeSegment(work, place, segmentationId))) {
        throw conflict(
          'TunnelIdInUse',
          `Unable to create the network. The tunnel ID ${segmentationId} is in use.`,
        )
      }
      return segment(segmentationId)
    },
    async allocate(work) {
      const id = await takeAnySegment(work, place, ranges)
      return id === undefined ? undefined : segment(id)
    },
    release: (work, taken) => releaseSegment(work, place, taken.segmentationId!),
    mtu: () => tunnelMtu(options, overheadBytes),
  }
}
