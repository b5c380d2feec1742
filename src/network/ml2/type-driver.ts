/** A type of network segment: which ones there are, who has them, and how large their frames may be. */
import type { Work } from '../work.ts'

/** As an admin asks for it: absent parts are chosen. */
export interface WantedSegment {
  networkType: string
  physicalNetwork?: string
  segmentationId?: number
}

export interface Segment {
  networkType: string
  physicalNetwork: string | null
  segmentationId: number | null
}

export interface TypeDriver {
  readonly type: string
  /** Throws `invalid` when there can be no such segment. */
  validate(wanted: WantedSegment): void
  /** Takes the segment that an admin asked for, for good; throws `conflict` when it is taken. */
  reserve(work: Work, wanted: WantedSegment): Promise<Segment>
  /** Takes any free segment for a project's network; undefined when there is none. */
  allocate(work: Work): Promise<Segment | undefined>
  release(work: Work, segment: Segment): Promise<void>
  mtu(physicalNetwork: string | null): number
}
