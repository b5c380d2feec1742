/** Reads the query of `GET /allocation_candidates`: request groups by suffix, and what concerns them all. */
import { type TSchema, Type } from 'typebox'
import { Fault } from '../../../base/errors.ts'
import { type Microversion, parseVersion } from '../../../base/http/microversion.ts'
import { isUuid } from '../../../base/ids.ts'
import type { TraitFilter } from '../../candidates/filters.ts'
import type { CandidatesRequest, RequestGroup } from '../../candidates/request.ts'
import { errorCodes } from '../../error-codes.ts'
import type { Request } from '../deps.ts'
import {
  allOf,
  lastOf,
  Repeatable,
  readMemberOf,
  readResources,
  readRootTraits,
  readTraits,
} from '../query.ts'

const groupParameters = [
  ['resources', '1.10'],
  ['required', '1.17'],
  ['member_of', '1.21'],
  ['in_tree', '1.31'],
] as const

const wideParameters: readonly (readonly [string, string, TSchema])[] = [
  ['limit', '1.16', Repeatable({ pattern: '^[1-9][0-9]*$', minLength: 1 })],
  ['group_policy', '1.25', Repeatable({ pattern: '^(none|isolate)$' })],
  ['root_required', '1.35', Repeatable()],
  ['same_subtree', '1.36', Repeatable()],
]

const granularSince = parseVersion('1.25')
const namedSince = parseVersion('1.33')
const suffixAt = (version: Microversion): string =>
  version >= namedSince ? '[a-zA-Z0-9_-]{1,64}' : '[1-9][0-9]*'

const queries = new Map<Microversion, TSchema>()

/** The parameters there were at a version. */
export function candidatesQuery(version: Microversion): TSchema {
  let query = queries.get(version)
  if (query !== undefined) return query
  const alive = (since: string): boolean => version >= parseVersion(since)
  const wide = wideParameters.filter(([, since]) => alive(since)).map(([name, , schema]) => [name, schema])
  const names = groupParameters.filter(([, since]) => alive(since)).map(([name]) => name)
  const granular = version >= granularSince
  const properties = Object.fromEntries(wide) as Record<string, TSchema>
  if (!granular) for (const name of names) properties[name] = Repeatable()
  const patterns = names.map((name) => [`^${name}(${suffixAt(version)})?$`, Repeatable()])
  query = Type.Unsafe({
    type: 'object',
    properties,
    required: granular ? [] : ['resources'],
    patternProperties: granular ? Object.fromEntries(patterns) : {},
    additionalProperties: false,
  })
  queries.set(version, query)
  return query
}

/** The request that a checked query makes. */
export function readCandidatesRequest(request: Request): CandidatesRequest {
  const rootTraits = readRootRequired(request)
  const sameSubtree = allOf(request, 'same_subtree').map(readSuffixes)
  const groups = readGroups(request)
  if (request.atLeast('1.36')) assertSubtrees(groups, sameSubtree)
  else assertResources(groups)
  if (request.atLeast('1.22')) assertPossible(groups)
  const policy = allOf(request, 'group_policy')[0]
  if (policy === undefined && groups.filter((group) => group.suffix !== '').length > 1) {
    throw new Fault(
      'invalid',
      'The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.',
    )
  }
  const limit = allOf(request, 'limit')[0]
  return {
    groups,
    limit: limit === undefined ? undefined : Number(limit),
    isolate: policy === 'isolate',
    rootTraits,
    sameSubtree,
    nested: request.atLeast('1.29'),
  }
}

function readGroups(request: Request): RequestGroup[] {
  const form = new RegExp(`^(resources|required|member_of|in_tree)(${suffixAt(request.microversion)})?$`)
  const suffixes = new Set<string>()
  for (const key of Object.keys(request.query)) {
    const match = form.exec(key)
    if (match !== null) suffixes.add(match[2] ?? '')
  }
  return [...suffixes].map((suffix) => {
    const resources = lastOf(request, `resources${suffix}`)
    return {
      suffix,
      resources: resources === undefined ? new Map() : readResources(resources),
      traits: readTraits(request, suffix),
      aggregates: readMemberOf(request, suffix),
      inTree: readInTree(request, suffix),
    }
  })
}

function readInTree(request: Request, suffix: string): string | undefined {
  const value = lastOf(request, `in_tree${suffix}`)
  if (value === undefined || isUuid(value.trim())) return value?.trim()
  throw new Fault(
    'invalid',
    `Invalid query string parameters: Expected 'in_tree' parameter to be a format of uuid. Got: ${value}`,
  )
}

function readRootRequired(request: Request): TraitFilter | undefined {
  const values = allOf(request, 'root_required')
  if (values.length > 1) {
    throw new Fault('invalid', "Query parameter 'root_required' may be specified only once.", {
      code: errorCodes.duplicateQueryKey,
    })
  }
  if (values[0] === undefined) return undefined
  const filter = readRootTraits(values[0])
  const conflicts = filter.required.flatMap((any) => [...any]).filter((name) => filter.forbidden.has(name))
  if (conflicts.length === 0) return filter
  throw badValue(`Conflicting required and forbidden traits found in root_required: ${conflicts.join(', ')}`)
}

function readSuffixes(text: string): Set<string> {
  const suffixes = new Set(text.split(',').map((suffix) => suffix.trim()))
  if (suffixes.has('')) {
    throw badValue('Empty string (unsuffixed group) can not be specified in `same_subtree` ')
  }
  return suffixes
}

const badValue = (message: string): Fault => new Fault('invalid', message, { code: errorCodes.badQueryValue })

// Since 1.36 a group may ask for no resources when it is bound to others by `same_subtree`.
function assertSubtrees(groups: readonly RequestGroup[], sameSubtree: readonly ReadonlySet<string>[]): void {
  const known = new Set(groups.map((group) => group.suffix))
  const without = groups.filter((group) => group.resources.size === 0).map((group) => group.suffix)
  if (without.length === groups.length) {
    throw new Fault('invalid', 'There must be at least one resources or resources[$S] parameter.', {
      code: errorCodes.missingQueryValue,
    })
  }
  const bound = new Set(sameSubtree.flatMap((suffixes) => [...suffixes]))
  const free = without.filter((suffix) => !bound.has(suffix))
  if (free.length > 0) {
    throw badValue(
      `Resourceless suffixed group request should be specified in \`same_subtree\` query param: bad group(s) - ${quoted(free)}.`,
    )
  }
  const unreal = [...bound.difference(known)]
  if (unreal.length === 0) return
  throw badValue(
    `Real suffixes should be specified in \`same_subtree\`: ${quoted(unreal)} not found in ${quoted([...known])}.`,
  )
}

const quoted = (names: readonly string[]): string => `[${names.map((name) => `'${name}'`).join(', ')}]`

function assertResources(groups: readonly RequestGroup[]): void {
  const without = groups.filter((group) => group.resources.size === 0)
  const named = (prefix: string, found: readonly RequestGroup[]): string =>
    found.map((group) => `${prefix}${group.suffix}`).join(', ')
  const traits = without.filter((group) => group.traits.required.length > 0)
  if (traits.length > 0) {
    throw new Fault(
      'invalid',
      `All traits parameters must be associated with resources.  Found the following orphaned traits keys: ${named('required', traits)}`,
    )
  }
  const aggregates = without.filter(
    ({ aggregates: { required, forbidden } }) => required.length > 0 || forbidden.size > 0,
  )
  if (aggregates.length > 0) {
    throw new Fault(
      'invalid',
      `All member_of parameters must be associated with resources. Found the following orphaned member_of keys: ${named('member_of', aggregates)}`,
    )
  }
  if (without.length > 0) throw new Fault('invalid', 'All request groups must specify resources.')
  if (groups.length === 0) {
    throw new Fault('invalid', 'At least one request group (`resources` or `resources{$S}`) is required.')
  }
}

function assertPossible(groups: readonly RequestGroup[]): void {
  const conflicts = groups.flatMap(({ suffix, traits }) =>
    traits.required
      .filter((any) => any.isSubsetOf(traits.forbidden))
      .map((any) => `required${suffix}: (${[...any].sort().join(', ')})`),
  )
  if (conflicts.length === 0) return
  throw new Fault(
    'invalid',
    `Conflicting required and forbidden traits found in the following traits keys: ${conflicts.sort().join(', ')}`,
  )
}
