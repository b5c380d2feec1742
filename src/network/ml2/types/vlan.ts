/** Networks told apart by their VLAN tag on a physical network. */
import type { NetworkOptions } from '../../config.ts'
import { conflict, invalidInput } from '../../errors.ts'
import { type NumberRange, releaseSegment, takeAnySegment, takeSegment } from '../allocations.ts'
import { physicalMtu } from '../mtu.ts'
import type { Segment, TypeDriver } from '../type-driver.ts'

export function vlanType(options: NetworkOptions): TypeDriver {
  const ranges = readRanges(options.networkVlanRanges)
  const place = (physicalNetwork: string) => ({ networkType: 'vlan', physicalNetwork })
  const segment = (physicalNetwork: string, segmentationId: number): Segment => ({
    networkType: 'vlan',
    physicalNetwork,
    segmentationId,
  })
  const driver: TypeDriver = {
    type: 'vlan',
    validate({ physicalNetwork, segmentationId }) {
      if (physicalNetwork === undefined) {
        if (segmentationId !== undefined)
          throw invalidInput('segmentation_id requires physical_network for VLAN provider network')
        return
      }
      if (!ranges.has(physicalNetwork))
        throw invalidInput(`physical_network '${physicalNetwork}' unknown for VLAN provider network`)
      if (segmentationId !== undefined && (segmentationId < 1 || segmentationId > 4094))
        throw invalidInput('segmentation_id out of range (1 through 4094)')
    },
    async reserve(work, { physicalNetwork, segmentationId }) {
      if (physicalNetwork !== undefined && segmentationId !== undefined) {
        if (!(await takeSegment(work, place(physicalNetwork), segmentationId))) {
          throw conflict(
            'VlanIdInUse',
            `Unable to create the network. The VLAN ${segmentationId} on physical network ${physicalNetwork} is in use.`,
          )
        }
        return segment(physicalNetwork, segmentationId)
      }
      const wires = physicalNetwork === undefined ? [...ranges.keys()] : [physicalNetwork]
      for (const wire of wires) {
        const id = await takeAnySegment(work, place(wire), ranges.get(wire) ?? [])
        if (id !== undefined) return segment(wire, id)
      }
      throw conflict(
        'NoNetworkAvailable',
        'Unable to create the network. No VLAN is available for allocation.',
      )
    },
    async allocate(work) {
      for (const [wire, free] of ranges) {
        const id = await takeAnySegment(work, place(wire), free)
        if (id !== undefined) return segment(wire, id)
      }
      return undefined
    },
    release: (work, taken) => releaseSegment(work, place(taken.physicalNetwork!), taken.segmentationId!),
    mtu: (physicalNetwork) => physicalMtu(options, physicalNetwork),
  }
  return driver
}

/** `physnet1:100:200` and `physnet2`, which has no range of its own, by physical network. */
export function readRanges(entries: readonly string[]): Map<string, NumberRange[]> {
  const ranges = new Map<string, NumberRange[]>()
  for (const entry of entries) {
    const [name, first, last] = entry.split(':')
    const known = ranges.get(name!) ?? []
    ranges.set(name!, known)
    if (first !== undefined) known.push({ first: Number(first), last: Number(last) })
  }
  return ranges
}
