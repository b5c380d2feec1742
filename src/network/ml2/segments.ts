/** Gives networks their segments, and takes them back. */

import type { Db } from '../../base/db/database.ts'
import { Fault } from '../../base/errors.ts'
import { newUuid } from '../../base/ids.ts'
import type { NetworkOptions } from '../config.ts'
import { invalidInput, neutronFault } from '../errors.ts'
import type { SegmentRow, Tables } from '../store/tables.ts'
import type { Work } from '../work.ts'
import type { Segment, TypeDriver, WantedSegment } from './type-driver.ts'
import { flatType } from './types/flat.ts'
import { localType } from './types/local.ts'
import { vlanType } from './types/vlan.ts'
import { vxlanType } from './types/vxlan.ts'

const makers = { local: localType, flat: flatType, vlan: vlanType, vxlan: vxlanType } as const

/** The type drivers of the configuration, by type. */
export function typeDrivers(options: NetworkOptions): Map<string, TypeDriver> {
  const drivers = new Map<string, TypeDriver>()
  for (const type of options.typeDrivers) {
    const maker = (makers as Record<string, ((options: NetworkOptions) => TypeDriver) | undefined>)[type]
    if (maker === undefined) {
      const known = Object.keys(makers).join(', ')
      throw new Fault('invalid', `[ml2] type_drivers names ${type}; there are ${known}.`)
    }
    drivers.set(type, maker(options))
  }
  for (const type of options.tenantNetworkTypes) {
    if (!drivers.has(type)) {
      throw new Fault(
        'invalid',
        `[ml2] tenant_network_types names ${type}, which is not among type_drivers (${options.typeDrivers.join(', ')}).`,
      )
    }
  }
  return drivers
}

/** Throws when there are networks of a type that the configuration lacks: nobody could wire or delete them any more. */
export async function refuseLostTypes(db: Db<Tables>, { typeDrivers: types }: NetworkOptions): Promise<void> {
  const rows = await db
    .selectFrom('networksegments')
    .select(['network_type', ({ fn }) => fn.countAll().as('count')])
    .where('network_type', 'not in', types.length > 0 ? types : [''])
    .groupBy('network_type')
    .execute()
  if (rows.length === 0) return
  const lost = rows.map((row) => `${row.network_type} (${row.count} of them)`).join(', ')
  throw new Fault(
    'invalid',
    `[ml2] type_drivers is ${types.join(',')}, but there are network segments of type ${lost}. Put the type back, or delete these networks with it first.`,
  )
}

/** Throws unless every wanted segment could be had. */
export function validateSegments(
  drivers: ReadonlyMap<string, TypeDriver>,
  wanted: readonly WantedSegment[],
): void {
  for (const segment of wanted) {
    const driver = drivers.get(segment.networkType)
    if (driver === undefined) throw invalidInput(`network_type value '${segment.networkType}' not supported`)
    driver.validate(segment)
  }
  const texts = wanted.map((segment) => JSON.stringify(segment))
  if (wanted.every((segment) => segment.segmentationId !== undefined) && new Set(texts).size < texts.length)
    throw neutronFault('invalid', 'SegmentsContainDuplicateEntry', 'Duplicate segment entry in request.')
}

/** The wanted segments, or one that the configuration chooses. */
export async function takeSegments(
  work: Work,
  drivers: ReadonlyMap<string, TypeDriver>,
  wanted: readonly WantedSegment[],
): Promise<Segment[]> {
  if (wanted.length > 0) {
    validateSegments(drivers, wanted)
    const segments: Segment[] = []
    for (const one of wanted) segments.push(await drivers.get(one.networkType)!.reserve(work, one))
    return segments
  }
  for (const type of work.options.tenantNetworkTypes) {
    const segment = await drivers.get(type)!.allocate(work)
    if (segment !== undefined) return [segment]
  }
  throw neutronFault(
    'unavailable',
    'NoNetworkAvailable',
    'Unable to create the network. No tenant network is available for allocation.',
  )
}

/** The largest frame that fits through every segment. */
export function mtuOf(drivers: ReadonlyMap<string, TypeDriver>, segments: readonly Segment[]): number {
  return Math.min(
    ...segments.map((segment) => drivers.get(segment.networkType)?.mtu(segment.physicalNetwork) ?? 1500),
  )
}

export async function insertSegments(
  work: Work,
  networkId: string,
  segments: readonly Segment[],
): Promise<void> {
  const rows = segments.map((segment, index) => ({
    id: newUuid(),
    network_id: networkId,
    network_type: segment.networkType,
    physical_network: segment.physicalNetwork,
    segmentation_id: segment.segmentationId,
    segment_index: index,
  }))
  await work.db.insertInto('networksegments').values(rows).execute()
}

/** Frees the segments of a network that goes. */
export async function releaseSegments(
  work: Work,
  drivers: ReadonlyMap<string, TypeDriver>,
  rows: readonly SegmentRow[],
): Promise<void> {
  for (const row of rows) {
    await drivers.get(row.network_type)?.release(work, {
      networkType: row.network_type,
      physicalNetwork: row.physical_network,
      segmentationId: row.segmentation_id,
    })
  }
}
