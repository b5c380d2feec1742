/** What the query of a list of servers may say, and what it means. */
import type { TSchema } from 'typebox'
import { throughSecond } from '../../../base/clock.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import type { InstanceFilters } from '../../store/instance-filters.ts'
import type { InstanceRow } from '../../store/instance-records.ts'
import type { InstanceSort } from '../../store/list-instances.ts'
import { queryValue } from '../paging.ts'
import { AnyText, byVersion, Digits, queryOf, readFlag } from '../schema-types.ts'
import { statesOf } from './status.ts'

type Request = ApiRequest<never>
type Column = keyof InstanceRow

/** Filters that compare a column with the value, by parameter. */
const equalColumns: Readonly<Record<string, Column>> = {
  user_id: 'user_id',
  project_id: 'project_id',
  tenant_id: 'project_id',
  image: 'image_ref',
  image_ref: 'image_ref',
  vm_state: 'vm_state',
  task_state: 'task_state',
  host: 'host',
  uuid: 'uuid',
  reservation_id: 'reservation_id',
  availability_zone: 'availability_zone',
  key_name: 'key_name',
  launched_at: 'launched_at',
  terminated_at: 'terminated_at',
  created_at: 'created_at',
}
const numberColumns: Readonly<Record<string, Column>> = {
  launch_index: 'launch_index',
  power_state: 'power_state',
  progress: 'progress',
  auto_disk_config: 'auto_disk_config',
}
/** Filters that are regular expressions. */
const patternColumns: Readonly<Record<string, Column>> = {
  name: 'display_name',
  display_name: 'display_name',
  description: 'display_description',
  display_description: 'display_description',
  hostname: 'hostname',
  node: 'node',
  root_device_name: 'root_device_name',
  access_ip_v4: 'access_ip_v4',
  access_ip_v6: 'access_ip_v6',
  locked_by: 'locked_by',
}
const tagFilters = ['tags', 'tags-any', 'not-tags', 'not-tags-any'] as const
const joined = 'block_device_mapping services metadata system_metadata info_cache security_groups pci_devices'
const others =
  'flavor kernel_id ramdisk_id config_drive ip ip6 all_tenants soft_deleted deleted status sort_dir'

/** Filters that anybody may use; the others are for who may use all. */
const publicFilters: readonly (readonly [version: number, names: string])[] = [
  [0, 'reservation_id name status image flavor ip changes-since all_tenants'],
  [2005, 'ip6'],
  [2026, tagFilters.join(' ')],
  [2066, 'changes-before'],
  [2073, 'locked'],
  [
    2083,
    'availability_zone config_drive key_name created_at launched_at terminated_at power_state task_state vm_state progress user_id',
  ],
  [2090, 'hostname'],
]

const sortColumns =
  'access_ip_v4 access_ip_v6 auto_disk_config availability_zone config_drive created_at display_description ' +
  'display_name host hostname image_ref key_name launch_index launched_at locked_by node power_state progress ' +
  'project_id root_device_name task_state terminated_at updated_at user_id uuid vm_state'
const unsortable = 'instance_type_id kernel_id ramdisk_id'
/** Once known, never obeyed; refused since 2.75. */
const ignoredSorts =
  'architecture cell_name cleaned default_ephemeral_device default_swap_device deleted deleted_at ' +
  'disable_terminate ephemeral_gb ephemeral_key_uuid id key_data launched_on memory_mb os_type reservation_id ' +
  'root_gb shutdown_terminate user_data vcpus vm_mode'

export const serversQuery = byVersion((version) => {
  const names = [
    ...Object.keys({ ...equalColumns, ...numberColumns, ...patternColumns }),
    ...joined.split(' '),
    ...others.split(' '),
    ...(version < 2026 ? [] : tagFilters),
    ...(version < 2073 ? [] : ['locked']),
  ]
  const parameters: Record<string, TSchema> = Object.fromEntries(names.map((name) => [name, AnyText]))
  const sorts = `${sortColumns} ${unsortable} locked ${version < 2075 ? ignoredSorts : ''}`
    .trim()
    .split(/\s+/)
  parameters['sort_key'] = { type: 'string', enum: sorts }
  parameters['limit'] = Digits
  parameters['marker'] = AnyText
  parameters['changes-since'] = AnyText
  if (version >= 2066) parameters['changes-before'] = AnyText
  return queryOf(parameters, { strict: version >= 2075 })
})

const pagingAndSorting = ['limit', 'marker', 'sort_key', 'sort_dir']

export const isPagedOrSorted = (request: Request): boolean =>
  pagingAndSorting.some((name) => request.query[name] !== undefined)

/** The parameters that filter. */
export const filterNames = (request: Request): string[] => [...readParameters(request).keys()]

/** The filters that count: what the caller may not filter by is left out. */
function readParameters(request: Request): Map<string, string> {
  const everything = request.can('os_compute_api:servers:allow_all_filters')
  const allowed = new Set(
    publicFilters.flatMap(([since, names]) => (request.microversion >= since ? names.split(' ') : [])),
  )
  const found = new Map<string, string>()
  for (const name of Object.keys(request.query)) {
    if (pagingAndSorting.includes(name)) continue
    if (everything || allowed.has(name)) found.set(name, queryValue(request, name)!)
  }
  return found
}

/** Filters of a list; undefined when nothing can fit them. */
export function filtersOf(request: Request, rule: 'index' | 'detail'): InstanceFilters | undefined {
  const given = readParameters(request)
  for (const name of given.keys()) {
    if (joined.split(' ').includes(name) || name.startsWith('_'))
      throw new Fault('invalid', `Invalid filter field: ${name}.`)
  }
  const equals: Record<string, unknown> = {}
  const filters: InstanceFilters = { equals }
  readColumns(given, equals, filters)
  if (!readStates(request, equals, filters)) return undefined
  readTimes(request, given, filters)
  readTags(request, given, filters)
  const deleted = given.get('deleted')
  if (deleted !== undefined) filters.deleted = readFlag(deleted) ?? false
  else if (filters.changedSince !== undefined || filters.changedBefore !== undefined)
    filters.deleted ??= 'any'
  if (given.has('locked')) equals['locked'] = flag('locked', given.get('locked')!) ? 1 : 0
  if (!request.atLeast('2.73')) delete equals['locked']
  const drive = given.get('config_drive')
  if (drive !== undefined) equals['config_drive'] = readFlag(drive) === true ? 'True' : ''
  readProject(request, rule, given, equals)
  return filters
}

function flag(name: string, text: string): boolean {
  if (text === '') return true
  const value = readFlag(text)
  if (value === undefined) throw new Fault('invalid', `Query string '${name}=${text}' invalid`)
  return value
}

function readProject(
  request: Request,
  rule: 'index' | 'detail',
  given: ReadonlyMap<string, string>,
  equals: Record<string, unknown>,
): void {
  const all = given.get('all_tenants')
  if (all !== undefined && flag('all_tenants', all)) {
    request.authorize(`os_compute_api:servers:${rule}:get_all_tenants`)
    return
  }
  const { projectId, userId } = request.context
  if (projectId !== null) equals['project_id'] = projectId
  else equals['user_id'] = userId
}

function readColumns(
  given: ReadonlyMap<string, string>,
  equals: Record<string, unknown>,
  filters: InstanceFilters,
): void {
  const matches: Record<string, RegExp> = {}
  for (const [name, value] of given) {
    const column = equalColumns[name]
    if (column !== undefined) equals[column] = value
    const number = numberColumns[name]
    if (number !== undefined) equals[number] = Number(value)
    const pattern = patternColumns[name]
    if (pattern !== undefined) matches[pattern] = regularExpression(value)
  }
  if (Object.keys(matches).length > 0) filters.matches = matches
  const flavor = given.get('flavor')
  if (flavor !== undefined) filters.flavorid = flavor
  const ip = given.get('ip')
  if (ip !== undefined) filters.ip = regularExpression(ip)
  const ip6 = given.get('ip6')
  if (ip6 !== undefined) filters.ip6 = regularExpression(ip6)
}

function regularExpression(text: string): RegExp {
  try {
    return new RegExp(text, 'i')
  } catch (error) {
    throw new Fault('invalid', `'${text}' is not a regular expression.`, {}, error)
  }
}

// False when no state is shown as the words that were asked for.
function readStates(request: Request, equals: Record<string, unknown>, filters: InstanceFilters): boolean {
  const asked = request.query['status']
  if (asked === undefined) return true
  const { vmStates, taskStates } = statesOf([asked].flat())
  if (vmStates.length === 0) {
    if (request.atLeast('2.38')) throw new Fault('invalid', 'Invalid status value')
    return false
  }
  if (vmStates.length === 1 && vmStates[0] === 'deleted') {
    if (!request.can('context_is_admin')) {
      throw new Fault('forbidden', 'Only administrators may list deleted instances')
    }
    filters.deleted = true
    return true
  }
  equals['vm_state'] = vmStates
  if (taskStates !== undefined) equals['task_state'] = taskStates
  return true
}

// A blank stands for the plus that a query loses.
const isoForm = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?([zZ]|[ +-]\d\d:?\d\d)?)?$/

const withZone = (text: string): string => {
  const zoned = text.replace(/ (\d\d:?\d\d)$/, '+$1')
  return /([zZ]|[+-]\d\d:?\d\d)$/.test(zoned) || !zoned.includes(':') ? zoned : `${zoned}Z`
}

function readTimes(request: Request, given: ReadonlyMap<string, string>, filters: InstanceFilters): void {
  const read = (name: string): string | undefined => {
    const text = given.get(name)
    if (text === undefined) return undefined
    const time = isoForm.test(text) ? Date.parse(withZone(text)) : Number.NaN
    if (Number.isNaN(time)) throw new Fault('invalid', `Invalid filter field: ${name}.`)
    return new Date(time).toISOString()
  }
  const since = read('changes-since')
  const before = request.atLeast('2.66') ? read('changes-before') : undefined
  if (since !== undefined && before !== undefined && before < since) {
    throw new Fault('invalid', 'The value of changes-since must be less than or equal to changes-before.')
  }
  if (since !== undefined) filters.changedSince = since
  if (before !== undefined) filters.changedBefore = throughSecond(before)
}

function readTags(request: Request, given: ReadonlyMap<string, string>, filters: InstanceFilters): void {
  if (!request.atLeast('2.26')) return
  const keys = {
    tags: 'tags',
    'tags-any': 'tagsAny',
    'not-tags': 'notTags',
    'not-tags-any': 'notTagsAny',
  } as const
  for (const name of tagFilters) {
    const text = given.get(name)
    if (text !== undefined) filters[keys[name]] = text.split(',')
  }
}

/** The newest first unless the query says otherwise; keys that mean nothing are passed over. */
export function sortOf(request: Request): InstanceSort[] {
  const list = (name: string) => [request.query[name] ?? []].flat().map((text) => text.trim())
  const directions = list('sort_dir')
  for (const direction of directions) {
    if (direction !== 'asc' && direction !== 'desc') {
      throw new Fault('invalid', `Unknown sort direction, must be one of: asc, desc`)
    }
  }
  const sort: InstanceSort[] = []
  for (const [at, key] of list('sort_key').entries()) {
    if ((key === 'host' || key === 'node') && !request.can('context_is_admin')) {
      throw new Fault('forbidden', `Only administrators can sort servers by ${key}`)
    }
    const isColumn = sortColumns.split(' ').includes(key) || (key === 'locked' && request.atLeast('2.73'))
    if (isColumn) sort.push({ key: key as Column, descending: (directions[at] ?? 'desc') === 'desc' })
  }
  const newest: InstanceSort = {
    key: 'created_at',
    descending: (directions[sort.length] ?? 'desc') === 'desc',
  }
  return sort.length > 0 ? sort : [newest]
}
