/** Between the client's types and the API's JSON. */
import { Fault } from '../../base/errors.ts'
import type { HttpReply } from '../../base/http/client.ts'
import type {
  Allocations,
  ClaimResult,
  ConsumerMove,
  Inventories,
  Inventory,
  Provider,
  Query,
} from './types.ts'

/** A provider as the API shows it. */
export interface ProviderBody {
  uuid: string
  name: string
  generation: number
  parent_provider_uuid: string | null
  root_provider_uuid: string
}

/** A provider from its JSON. */
export const toProvider = (body: ProviderBody): Provider => ({
  uuid: body.uuid,
  name: body.name,
  generation: body.generation,
  parentUuid: body.parent_provider_uuid,
  rootUuid: body.root_provider_uuid,
})

/** The JSON of a consumer's new allocations. */
export function consumerBody(move: ConsumerMove): Record<string, unknown> {
  const resources = ([uuid, { resources }]: [string, Allocations[string]]) => [uuid, { resources }]
  const body: Record<string, unknown> = {
    allocations: Object.fromEntries(Object.entries(move.allocations).map(resources)),
    project_id: move.projectId,
    user_id: move.userId,
    consumer_generation: move.consumerGeneration,
    consumer_type: move.consumerType ?? 'INSTANCE',
  }
  if (move.mappings !== undefined && Object.keys(move.mappings).length > 0) body['mappings'] = move.mappings
  return body
}

/** A claim's answer: a 409 with a code tells of a changed consumer or provider, one without that there is no room. */
export function toClaimResult(reply: HttpReply): ClaimResult {
  if (reply.status < 300) return { outcome: 'claimed' }
  if (reply.status !== 409) throw toFault(reply)
  const { code, detail } = errorOf(reply)
  return { outcome: code === 'placement.concurrent_update' ? 'conflict' : 'no-capacity', reason: detail }
}

/** What an error's body says. */
export function errorOf(reply: HttpReply): { code: string; detail: string } {
  const body = reply.body as { errors?: { code?: string; detail?: string }[] } | undefined
  const error = body?.errors?.[0]
  return {
    code: error?.code ?? '',
    detail: (error?.detail ?? `HTTP ${reply.status}`).split('\n').at(-1)!.trim(),
  }
}

/** A refusal as a Fault. */
export function toFault(reply: HttpReply): Fault {
  const { code, detail } = errorOf(reply)
  const details = { status: reply.status, code }
  if (reply.status === 404) return new Fault('not-found', detail, details)
  if (reply.status === 409) return new Fault('conflict', detail, details)
  if (reply.status === 400) return new Fault('invalid', detail, details)
  return new Fault('unavailable', `Placement answered ${reply.status}: ${detail}`, details)
}

/** A path with its query. */
export function withQuery(path: string, query: Query): string {
  let text: string
  if (typeof query === 'string' || query instanceof URLSearchParams) text = String(query)
  else {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one))
    }
    text = String(parameters)
  }
  return text === '' ? path : `${path}?${text}`
}

/** True when nothing wanted differs from what is known. */
export function sameInventories(known: Record<string, Required<Inventory>>, wanted: Inventories): boolean {
  if (!sameSet(Object.keys(known), Object.keys(wanted))) return false
  const defaults = { reserved: 0, min_unit: 1, max_unit: 2_147_483_647, step_size: 1, allocation_ratio: 1 }
  return Object.entries(wanted).every(([name, inventory]) => {
    const full = { ...defaults, ...inventory }
    return Object.entries(full).every(([key, value]) => known[name]?.[key as keyof Inventory] === value)
  })
}

/** True when both hold the same texts, in whatever order. */
export const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  new Set(one).symmetricDifference(new Set(other)).size === 0
