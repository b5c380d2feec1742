/** Which segments are taken, settled by a unique key. */
import type { Work } from '../work.ts'

export interface NumberRange {
  first: number
  last: number
}

interface Place {
  networkType: string
  physicalNetwork: string
}

/** False when another network has it. */
export async function takeSegment(work: Work, place: Place, segmentationId: number): Promise<boolean> {
  const row = {
    network_type: place.networkType,
    physical_network: place.physicalNetwork,
    segmentation_id: segmentationId,
  }
  const taken = await work.db
    .selectFrom('ml2_segment_allocations')
    .select('segmentation_id')
    .where('network_type', '=', row.network_type)
    .where('physical_network', '=', row.physical_network)
    .where('segmentation_id', '=', segmentationId)
    .executeTakeFirst()
  if (taken !== undefined) return false
  // One who is faster between the two statements makes the whole change start again.
  await work.db.insertInto('ml2_segment_allocations').values(row).execute()
  return true
}

export async function releaseSegment(work: Work, place: Place, segmentationId: number): Promise<void> {
  await work.db
    .deleteFrom('ml2_segment_allocations')
    .where('network_type', '=', place.networkType)
    .where('physical_network', '=', place.physicalNetwork)
    .where('segmentation_id', '=', segmentationId)
    .execute()
}

/** Takes any free one of these ranges: a few at random, then whichever is left. */
export async function takeAnySegment(
  work: Work,
  place: Place,
  ranges: readonly NumberRange[],
): Promise<number | undefined> {
  const size = ranges.reduce((sum, range) => sum + range.last - range.first + 1, 0)
  if (size === 0) return undefined
  for (let attempt = 0; attempt < 4; attempt++) {
    const id = nth(ranges, Math.floor(Math.random() * size))
    if (await takeSegment(work, place, id)) return id
  }
  const rows = await work.db
    .selectFrom('ml2_segment_allocations')
    .select('segmentation_id')
    .where('network_type', '=', place.networkType)
    .where('physical_network', '=', place.physicalNetwork)
    .execute()
  const taken = new Set(rows.map((row) => row.segmentation_id))
  for (const range of ranges) {
    for (let id = range.first; id <= range.last; id++) {
      if (!taken.has(id) && (await takeSegment(work, place, id))) return id
    }
  }
  return undefined
}

function nth(ranges: readonly NumberRange[], index: number): number {
  let left = index
  for (const range of ranges) {
    const size = range.last - range.first + 1
    if (left < size) return range.first + left
    left -= size
  }
  throw new Error('the index is within the ranges')
}
