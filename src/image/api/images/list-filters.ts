/** The query of `GET /v2/images`: filters, order and page. */
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import type { ImageSettings } from '../../config.ts'
import type { Comparison, ImageQuery, SortKey } from '../../store/list-images.ts'
import { parseTimeFilter, splitList, splitOperator } from './filter-operators.ts'

const sortKeys: readonly SortKey[] = [
  'name',
  'status',
  'container_format',
  'disk_format',
  'size',
  'id',
  'created_at',
  'updated_at',
]
const listed = ['name', 'id', 'status', 'container_format', 'disk_format'] as const
const plain = ['owner', 'checksum', 'os_hash_value', 'os_hash_algo'] as const
const counted = ['size', 'virtual_size', 'min_ram', 'min_disk'] as const
const paging = ['limit', 'marker', 'member_status', 'tag', 'sort', 'sort_key', 'sort_dir', 'visibility']

type Query = ApiRequest['query']

const all = (query: Query, name: string): string[] => [query[name] ?? []].flat()
const last = (query: Query, name: string): string | undefined => all(query, name).at(-1)

const bad = (message: string): Fault => new Fault('invalid', message)

/** Reads the query of a list request; throws `invalid` for what glance refuses. */
export function readImageQuery(query: Query, settings: ImageSettings): Omit<ImageQuery, 'viewer'> {
  const hidden = readFlag(query, 'os_hidden') ?? 0
  const isProtected = readFlag(query, 'protected')
  const oneOf: ImageQuery['oneOf'][number][] = [{ column: 'os_hidden', values: [hidden] }]
  const ranges: ImageQuery['ranges'][number][] = []
  const times: ImageQuery['times'][number][] = []
  const properties: Record<string, string> = {}
  if (isProtected !== undefined) oneOf.push({ column: 'protected', values: [isProtected] })
  for (const key of Object.keys(query)) {
    const value = last(query, key)!
    if (paging.includes(key) || key === 'os_hidden' || key === 'protected') continue
    if (key === 'changes-since') throw bad('The "changes-since" filter is no longer available on v2.')
    if (isOf(listed, key)) oneOf.push({ column: key, values: readListed(value) })
    else if (isOf(plain, key)) oneOf.push({ column: key, values: [value] })
    else if (isOf(counted, key)) oneOf.push({ column: key, values: [readNumber(value)] })
    else if (key === 'created_at' || key === 'updated_at')
      times.push({ column: key, ...parseTimeFilter(key, value) })
    else if (/_(min|max)$/.test(key)) ranges.push(readRange(key, value))
    else properties[key] = value
  }
  return {
    memberStatus: readMemberStatus(last(query, 'member_status')),
    visibility: readVisibility(last(query, 'visibility')),
    tags: all(query, 'tag').map((tag) => tag.trim()),
    oneOf,
    ranges,
    times,
    properties,
    sort: readSort(query),
    marker: last(query, 'marker'),
    limit: readLimit(last(query, 'limit'), settings),
  }
}

const isOf = <T extends string>(names: readonly T[], key: string): key is T => names.includes(key as T)

function readMemberStatus(value = 'accepted'): string {
  if (['pending', 'accepted', 'rejected', 'all'].includes(value)) return value
  throw bad(`Invalid status: ${value}`)
}

function readVisibility(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined
  if (['community', 'public', 'private', 'shared', 'all'].includes(value)) return value
  throw bad(`Invalid visibility value: ${value}`)
}

function readFlag(query: Query, name: string): 0 | 1 | undefined {
  const value = last(query, name)
  if (value === undefined) return undefined
  const lower = name === 'os_hidden' ? value.toLowerCase() : value
  if (lower === 'true') return 1
  if (lower === 'false') return 0
  throw bad(`Invalid value '${value}' for '${name}' filter. Valid values are 'true' or 'false'.`)
}

function readListed(value: string): string[] {
  const [operator, rest] = splitOperator(value)
  if (operator === 'in') return splitList(rest)
  if (operator === 'eq') return [rest]
  throw bad(`Unable to filter by unknown operator '${operator}'.`)
}

function readNumber(value: string): number {
  if (!/^\s*-?\d+\s*$/.test(value)) throw bad('Unable to filter on a range with a non-numeric value.')
  return Number(value)
}

function readRange(key: string, value: string): ImageQuery['ranges'][number] {
  const column = key.slice(0, -4)
  if (!isOf(counted, column)) throw bad(`Unable to filter on a range of '${column}'.`)
  const is: Extract<Comparison, '>=' | '<='> = key.endsWith('_min') ? '>=' : '<='
  return { column, is, value: readNumber(value) }
}

function readLimit(value: string | undefined, settings: ImageSettings): number {
  if (value === undefined) return Math.min(settings.limitParamDefault, settings.apiLimitMax)
  if (!/^\s*[+-]?\d+\s*$/.test(value)) throw bad('limit param must be an integer')
  const limit = Number(value)
  if (limit < 0) throw bad('limit param must be positive')
  return Math.min(limit, settings.apiLimitMax)
}

function readSort(query: Query): ImageQuery['sort'] {
  const combined = last(query, 'sort')
  let keys = all(query, 'sort_key').map((key) => key.trim())
  let directions = all(query, 'sort_dir').map((direction) => direction.trim())
  if (combined !== undefined) {
    if (keys.length > 0 || directions.length > 0) throw bad('Old and new sorting syntax cannot be combined')
    const parts = combined
      .trim()
      .split(',')
      .map((part) => part.split(':'))
    keys = parts.map(([key = '']) => key.trim())
    directions = parts.map(([, direction]) => direction?.trim() || 'desc')
  }
  if (directions.length > 1 && directions.length !== keys.length)
    throw bad('Number of sort dirs does not match the number of sort keys')
  if (keys.length === 0) keys = ['created_at']
  return keys.map((key, index) => ({
    key: sortKey(key),
    direction: sortDirection(directions[directions.length > 1 ? index : 0] ?? 'desc'),
  }))
}

function sortKey(key: string): SortKey {
  if (isOf(sortKeys, key)) return key
  throw bad(`Invalid sort key: ${key}. It must be one of the following: ${sortKeys.join(', ')}.`)
}

function sortDirection(direction: string): 'asc' | 'desc' {
  if (direction === 'asc' || direction === 'desc') return direction
  throw bad(`Invalid sort direction: ${direction}`)
}
