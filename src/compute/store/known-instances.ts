/**
 * What a process has read of the instances of a cell. Nothing of it is shown before the database has said that it still
 * holds: who changes an instance raises its revision in the same transaction, and a read of a number is cheap beside one
 * of the whole.
 */
import type { CellDb } from './cell-dbs.ts'
import type { Instance, StoredInstance } from './instance-records.ts'

export interface Known {
  id: number
  revision: number
  partsRevision: number
  /** Its faults were read too. */
  withFault: boolean
  instance: Instance
}

/** So many instances of a cell are kept, those that were read last. */
const mostKnown = 2000

const known = new WeakMap<CellDb, Map<string, Known>>()

export const knownOf = (cell: CellDb, uuid: string): Known | undefined => known.get(cell)?.get(uuid)

/** The instance as it is known, where that is what the cell has now. */
export function knownAt(
  cell: CellDb,
  { uuid, id, revision }: { uuid: string; id: number; revision: number },
): Instance | undefined {
  const found = known.get(cell)?.get(uuid)
  return found?.id === id && found.revision === revision ? found.instance : undefined
}

/** Keeps what was read, unless something newer is kept; deleted instances are asked for too seldom. */
export function keepKnown(cell: CellDb, instance: StoredInstance & Instance, withFault: boolean): void {
  let ofCell = known.get(cell)
  if (ofCell === undefined) {
    ofCell = new Map()
    known.set(cell, ofCell)
  }
  const { uuid, id, revision, parts_revision: partsRevision } = instance
  const before = ofCell.get(uuid)
  if (before?.id === id && before.revision > revision) return
  ofCell.delete(uuid)
  if (instance.deleted !== 0) return
  ofCell.set(uuid, { id, revision, partsRevision, withFault, instance })
  if (ofCell.size > mostKnown) ofCell.delete(ofCell.keys().next().value!)
}
