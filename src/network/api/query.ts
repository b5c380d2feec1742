/** Reads the query of a list: filters, fields, sorting, paging. */
import { python } from '../../base/http/validate.ts'
import { badRequest, badResource } from '../errors.ts'
import type { AnyResource } from './resource.ts'

export interface ListQuery {
  filters: Readonly<Record<string, readonly string[]>>
  /** Empty: all. */
  fields: readonly string[]
  sorts: readonly { key: string; ascending: boolean }[]
  /** 0: no paging. */
  limit: number
  marker: string | undefined
  reverse: boolean
}

type Query = Readonly<Record<string, string | string[]>>

const control = new Set(['fields', 'sort_key', 'sort_dir', 'limit', 'marker', 'page_reverse'])
const tagFilters = new Set(['tags', 'tags-any', 'not-tags', 'not-tags-any'])

export const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]

export function readListQuery(
  resource: AnyResource,
  query: Query,
  options: { paginationMaxLimit: number; filterValidation: boolean },
): ListQuery {
  return {
    filters: readFilters(resource, query, options.filterValidation),
    fields: listOf(query['fields']).filter((name) => name !== ''),
    sorts: readSorts(resource, query),
    limit: readLimit(query, options.paginationMaxLimit),
    marker: listOf(query['marker'])[0],
    reverse: listOf(query['page_reverse']).at(-1)?.toLowerCase() === 'true',
  }
}

/** `fields=` of a single resource. */
export const readFields = (query: Query): string[] => listOf(query['fields']).filter((name) => name !== '')

function readFilters(
  resource: AnyResource,
  query: Query,
  strict: boolean,
): Readonly<Record<string, readonly string[]>> {
  const filters: Record<string, readonly string[]> = {}
  const invalid: string[] = []
  for (const [key, value] of Object.entries(query)) {
    if (control.has(key)) continue
    const name = key === 'tenant_id' ? 'project_id' : key
    const known =
      resource.attributes[name]?.filter === true ||
      resource.filters?.[name] !== undefined ||
      (resource.tagged === true && tagFilters.has(name))
    if (known) filters[name] = [...(filters[name] ?? []), ...listOf(value)]
    else if (strict) invalid.push(key)
  }
  if (invalid.length > 0) throw badRequest(`${python(invalid)} is invalid attribute for filtering`)
  return filters
}

function readSorts(resource: AnyResource, query: Query): ListQuery['sorts'] {
  const keys = listOf(query['sort_key']).filter((key) => key !== '')
  const directions = listOf(query['sort_dir']).filter((direction) => direction !== '')
  if (keys.length !== directions.length)
    throw badRequest('The number of sort_keys and sort_dirs must be same')
  const absent = keys.filter((key) => resource.attributes[key]?.sort !== true)
  if (absent.length > 0) throw badRequest(`${python(absent)} is invalid attribute for sort_keys`)
  const wrong = directions.filter((direction) => direction !== 'asc' && direction !== 'desc')
  if (wrong.length > 0) {
    throw badRequest(`${python(wrong)} is invalid value for sort_dirs, valid value is 'asc' and 'desc'`)
  }
  return keys.map((key, index) => ({ key, ascending: directions[index] === 'asc' }))
}

/** More than any table has; a number that no database takes for a limit would be an error there. */
const mostRows = 2_147_483_647

function readLimit(query: Query, most: number): number {
  const text = listOf(query['limit'])[0] ?? '0'
  if (!/^\d+$/.test(text))
    throw badResource('limit', `Limit must be an integer 0 or greater and not '${text}'`)
  const limit = Math.min(Number(text), mostRows)
  if (most <= 0) return limit
  return limit === 0 ? most : Math.min(limit, most)
}
