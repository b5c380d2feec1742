/** An instance as the rest of compute sees it: its row with what other tables hold of it. */
import type { Selectable } from 'kysely'
import type { CellDb } from './cell-dbs.ts'
import type { InstanceFaultsTable, InstancesTable } from './cell-tables.ts'
import type { Flavor } from './flavors.ts'
import type { NetworkInfo } from './network-info.ts'

/** As it is stored: with what tells whether it has changed since. */
export type StoredInstance = Selectable<InstancesTable>
export type InstanceRow = Omit<StoredInstance, 'revision' | 'parts_revision'>
export type InstanceFault = Selectable<InstanceFaultsTable>

/** A keypair as it was when the instance was made. */
export interface KeypairSnapshot {
  name: string
  type: 'ssh' | 'x509'
  public_key: string
}

/** An instance that is not yet in a cell: what its rows there will be. */
export interface NewInstance {
  /** Its `id` is 0 until a cell gives it one. */
  row: InstanceRow
  flavor: Flavor
  keypairs: KeypairSnapshot[]
  trustedCerts: string[] | null
  metadata: Record<string, string>
  systemMetadata: Record<string, string>
  tags: string[]
}

export interface Instance extends InstanceRow {
  flavor: Flavor
  keypairs: KeypairSnapshot[]
  trustedCerts: string[] | null
  metadata: Record<string, string>
  systemMetadata: Record<string, string>
  tags: string[]
  networkInfo: NetworkInfo
  /** The newest fault. */
  fault: InstanceFault | null
  /** Null while no cell has it: it is a build request still. */
  cell: CellDb | null
}

/** How an instance looks before a cell has it. */
export function buildingInstance(made: NewInstance): Instance {
  const { row, ...parts } = made
  return { ...row, ...parts, networkInfo: [], fault: null, cell: null }
}
