/** What a list of instances asks for, in SQL where columns tell, and here where they do not. */
import { type ExpressionBuilder, sql } from 'kysely'
import type { CellTables } from './cell-tables.ts'
import type { Instance, InstanceRow } from './instance-records.ts'

/** Columns that must be equal to the value, or to one of the values. */
export type InstanceEquals = {
  [K in keyof InstanceRow]?: InstanceRow[K] | readonly InstanceRow[K][]
}

export interface InstanceFilters {
  equals?: InstanceEquals
  notEquals?: InstanceEquals
  /** Columns whose text must match. */
  matches?: { [K in keyof InstanceRow]?: RegExp }
  /** Without it only what is not deleted; `any`: both. */
  deleted?: boolean | 'any'
  changedSince?: string
  changedBefore?: string
  metadata?: Readonly<Record<string, string>>
  systemMetadata?: Readonly<Record<string, string>>
  flavorid?: string
  ip?: RegExp
  ip6?: RegExp
  tags?: readonly string[]
  tagsAny?: readonly string[]
  notTags?: readonly string[]
  notTagsAny?: readonly string[]
}

export function rowConditions(eb: ExpressionBuilder<CellTables, 'instances'>, filters: InstanceFilters) {
  const all = []
  if (filters.deleted === true) all.push(eb('deleted', '!=', 0))
  else if (filters.deleted !== 'any') all.push(eb('deleted', '=', 0))
  const changed = sql<string>`coalesce(updated_at, created_at)`
  if (filters.changedSince !== undefined) all.push(eb(changed, '>=', filters.changedSince))
  if (filters.changedBefore !== undefined) all.push(eb(changed, '<=', filters.changedBefore))
  for (const [key, value] of Object.entries(filters.equals ?? {})) {
    const column = key as 'uuid'
    if (Array.isArray(value)) all.push(value.length === 0 ? sql<boolean>`1 = 0` : eb(column, 'in', value))
    else all.push(value === null ? eb(column, 'is', null) : eb(column, '=', value as string))
  }
  for (const [key, value] of Object.entries(filters.notEquals ?? {})) {
    const column = key as 'uuid'
    all.push(Array.isArray(value) ? eb(column, 'not in', value) : eb(column, '!=', value as string))
  }
  return eb.and(all)
}

/** Whether it lives, or is deleted, as is asked for. */
export const deletedFits = ({ deleted }: InstanceRow, filters: InstanceFilters): boolean =>
  filters.deleted === 'any' || (deleted !== 0) === (filters.deleted === true)

/** True when some of it cannot be asked for in SQL. */
export const filtersHere = (f: InstanceFilters): boolean =>
  [
    f.matches,
    f.metadata,
    f.systemMetadata,
    f.flavorid,
    f.ip,
    f.ip6,
    f.tags,
    f.tagsAny,
    f.notTags,
    f.notTagsAny,
  ].some((filter) => filter !== undefined)

const among = (value: unknown, wanted: unknown): boolean =>
  Array.isArray(wanted) ? wanted.includes(value) : value === wanted

/** The same as `rowConditions`, for what is in no cell. */
export function rowFits(row: InstanceRow, filters: InstanceFilters): boolean {
  const changed = row.updated_at ?? row.created_at
  if (filters.changedSince !== undefined && changed < filters.changedSince) return false
  if (filters.changedBefore !== undefined && changed > filters.changedBefore) return false
  for (const [key, value] of Object.entries(filters.equals ?? {}))
    if (!among(row[key as keyof InstanceRow], value)) return false
  for (const [key, value] of Object.entries(filters.notEquals ?? {}))
    if (among(row[key as keyof InstanceRow], value)) return false
  return textFits(row, filters)
}

export const textFits = (row: InstanceRow, filters: InstanceFilters): boolean =>
  Object.entries(filters.matches ?? {}).every(([key, pattern]) =>
    pattern.test(String(row[key as keyof InstanceRow] ?? '')),
  )

export function partsFit(instance: Instance, f: InstanceFilters): boolean {
  if (f.flavorid !== undefined && instance.flavor.flavorid !== f.flavorid) return false
  if (!includesAll(instance.metadata, f.metadata)) return false
  if (!includesAll(instance.systemMetadata, f.systemMetadata)) return false
  if (f.ip !== undefined && !hasAddress(instance, 4, f.ip)) return false
  if (f.ip6 !== undefined && !hasAddress(instance, 6, f.ip6)) return false
  const has = (tag: string) => instance.tags.includes(tag)
  if (f.tags?.every(has) === false || f.tagsAny?.some(has) === false) return false
  return f.notTags?.every(has) !== true && f.notTagsAny?.some(has) !== true
}

const includesAll = (
  held: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>> | undefined,
): boolean => Object.entries(wanted ?? {}).every(([key, value]) => held[key] === value)

function hasAddress(instance: Instance, version: 4 | 6, pattern: RegExp): boolean {
  return instance.networkInfo.some((port) =>
    port.network.subnets.some((subnet) =>
      subnet.ips.some((ip) => ip.version === version && pattern.test(ip.address)),
    ),
  )
}
