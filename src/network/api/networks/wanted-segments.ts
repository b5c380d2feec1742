import { badRequest, invalidInput, neutronFault } from '../../errors.ts'
import type { WantedSegment } from '../../ml2/type-driver.ts'
import type { Values } from '../attributes.ts'
import { toInteger } from '../converters.ts'

const parts = ['provider:network_type', 'provider:physical_network', 'provider:segmentation_id']

/** The segments that a body asks for by its provider attributes or its list of segments; none: any. */
export function segmentsWanted(values: Values): WantedSegment[] {
  const single = parts.some((part) => values[part] !== undefined && values[part] !== null)
  const several = values['segments'] as Values[] | undefined
  if (single && several !== undefined) {
    throw neutronFault(
      'invalid',
      'SegmentsSetInConjunctionWithProviders',
      'Segments and provider values cannot both be set.',
    )
  }
  if (single) return [segmentWanted(values)]
  return (several ?? []).map((segment) => {
    const extra = Object.keys(segment).filter((name) => !parts.includes(name))
    if (extra.length > 0) throw badRequest(`Unrecognized attribute(s) '${extra.join(', ')}'`)
    return segmentWanted(segment)
  })
}

function segmentWanted(values: Values): WantedSegment {
  const type = values['provider:network_type']
  if (typeof type !== 'string' || type === '') throw invalidInput('network_type required')
  const segment: WantedSegment = { networkType: type }
  const physical = values['provider:physical_network']
  if (typeof physical === 'string') segment.physicalNetwork = physical
  const id = values['provider:segmentation_id']
  if (id !== undefined && id !== null) segment.segmentationId = toInteger(id)
  return segment
}
