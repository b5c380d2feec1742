/** Placement as other services see it: typed calls at microversion 1.39. */
import { Fault } from '../base/errors.ts'
import type { HttpCall, HttpReply, Send } from '../base/http/client.ts'

export interface Provider {
  uuid: string
  name: string
  generation: number
  parentUuid: string | null
  rootUuid: string
}

export interface Inventory {
  total: number
  reserved?: number
  min_unit?: number
  max_unit?: number
  step_size?: number
  allocation_ratio?: number
}

/** Resource class → inventory. */
export type Inventories = Readonly<Record<string, Inventory>>

/** Provider uuid → what is taken of it. */
export type Allocations = Readonly<Record<string, { resources: Readonly<Record<string, number>> }>>

/** One way to satisfy a request; `mappings` says which providers serve which request group. */
export interface AllocationRequest {
  allocations: Allocations
  mappings?: Readonly<Record<string, readonly string[]>>
}

export interface ProviderSummary {
  resources: Readonly<Record<string, { capacity: number; used: number }>>
  traits: readonly string[]
  parent_provider_uuid: string | null
  root_provider_uuid: string
}

export interface AllocationCandidates {
  allocationRequests: readonly AllocationRequest[]
  /** By provider uuid. */
  providerSummaries: Readonly<Record<string, ProviderSummary>>
}

export interface ConsumerAllocations {
  allocations: Readonly<Record<string, { generation: number; resources: Readonly<Record<string, number>> }>>
  /** Null when the consumer has no allocations, as are the other facts. */
  consumerGeneration: number | null
  projectId: string | null
  userId: string | null
  consumerType: string | null
}

/** `no-capacity`: try another candidate. `conflict`: somebody else changed the consumer; read it again. */
export type ClaimResult = { outcome: 'claimed' } | { outcome: 'no-capacity' | 'conflict'; reason: string }

export interface ClaimOptions {
  /** What the consumer's generation is believed to be: null (the default) for one without allocations. */
  consumerGeneration?: number | null
  /** `INSTANCE` unless given. */
  consumerType?: string
}

/** The new allocations of one consumer, for `moveAllocations`; empty allocations remove it. */
export interface ConsumerMove extends AllocationRequest {
  projectId: string
  userId: string
  consumerGeneration: number | null
  consumerType?: string
}

type Query = string | URLSearchParams | Readonly<Record<string, string | number | readonly string[]>>

export interface PlacementClient {
  /** Makes the provider unless it is there; a changed name or parent is written. */
  ensureProvider(uuid: string, name: string, parentUuid?: string | null): Promise<Provider>
  findProvider(uuid: string): Promise<Provider | undefined>
  listProviders(query?: Query): Promise<Provider[]>
  /** False when there was none; a provider with allocations or children is a conflict. */
  deleteProvider(uuid: string): Promise<boolean>
  getInventories(
    uuid: string,
  ): Promise<{ generation: number; inventories: Record<string, Required<Inventory>> }>
  /** Replaces all inventories; writes nothing when they are so already; retries when the generation moved. */
  setInventories(uuid: string, inventories: Inventories): Promise<void>
  getTraits(uuid: string): Promise<string[]>
  /** Replaces the traits; custom ones are made on the way. */
  setTraits(uuid: string, traits: readonly string[]): Promise<void>
  getAggregates(uuid: string): Promise<string[]>
  setAggregates(uuid: string, aggregates: readonly string[]): Promise<void>
  ensureResourceClass(name: string): Promise<void>
  /** Resource class → used, of one provider. */
  getProviderUsages(uuid: string): Promise<Record<string, number>>
  /** Resource class → used by a project (and user), over all consumer types. */
  getProjectUsages(projectId: string, userId?: string): Promise<Record<string, number>>
  /** Consumer uuid → what it takes of this provider. */
  getProviderAllocations(uuid: string): Promise<Record<string, { resources: Record<string, number> }>>
  listAllocationCandidates(query: Query): Promise<AllocationCandidates>
  /** Takes what a candidate offers for a consumer, replacing what it had. */
  claim(
    consumer: string,
    request: AllocationRequest,
    projectId: string,
    userId: string,
    options?: ClaimOptions,
  ): Promise<ClaimResult>
  getAllocations(consumer: string): Promise<ConsumerAllocations>
  /** False when it had none. */
  deleteAllocations(consumer: string): Promise<boolean>
  /** Replaces the allocations of several consumers, all or none. */
  moveAllocations(consumers: Readonly<Record<string, ConsumerMove>>): Promise<ClaimResult>
  /** The reshaper's body as in the API; all or none. */
  reshape(body: Readonly<Record<string, unknown>>): Promise<ClaimResult>
}

const attempts = 5

/** Calls placement through `send` with tokens from `token`. */
export function placementClient(send: Send, token: () => Promise<string>): PlacementClient {
  const call = async (method: HttpCall['method'], path: string, body?: unknown): Promise<HttpReply> => {
    const headers = {
      'x-auth-token': await token(),
      'openstack-api-version': 'placement 1.39',
      accept: 'application/json',
    }
    return await send(body === undefined ? { method, path, headers } : { method, path, headers, body })
  }
  const need = async <T>(method: HttpCall['method'], path: string, body?: unknown): Promise<T> => {
    const reply = await call(method, path, body)
    if (reply.status >= 300) throw toFault(reply)
    return reply.body as T
  }

  const findProvider = async (uuid: string) => {
    const reply = await call('GET', `/resource_providers/${uuid}`)
    if (reply.status === 404) return undefined
    if (reply.status >= 300) throw toFault(reply)
    return toProvider(reply.body as ProviderBody)
  }

  // Reads, decides, writes with the generation read; again when somebody was faster.
  const replace = async (read: () => Promise<{ path: string; body: unknown } | undefined>) => {
    for (let attempt = 1; ; attempt++) {
      const write = await read()
      if (write === undefined) return
      const reply = await call('PUT', write.path, write.body)
      if (reply.status < 300) return
      if (errorOf(reply).code !== 'placement.concurrent_update' || attempt === attempts) throw toFault(reply)
    }
  }

  const client: PlacementClient = {
    findProvider,
    async ensureProvider(uuid, name, parentUuid = null) {
      let known = await findProvider(uuid)
      if (known === undefined) {
        const body = { uuid, name, parent_provider_uuid: parentUuid }
        const reply = await call('POST', '/resource_providers', body)
        if (reply.status < 300) return toProvider(reply.body as ProviderBody)
        // Somebody else may have made it meanwhile.
        known = reply.status === 409 ? await findProvider(uuid) : undefined
        if (known === undefined) throw toFault(reply)
      }
      if (known.name === name && known.parentUuid === parentUuid) return known
      const body = { name, parent_provider_uuid: parentUuid }
      return toProvider(await need<ProviderBody>('PUT', `/resource_providers/${uuid}`, body))
    },
    async listProviders(query = '') {
      type Body = { resource_providers: ProviderBody[] }
      return (await need<Body>('GET', withQuery('/resource_providers', query))).resource_providers.map(
        toProvider,
      )
    },
    deleteProvider: (uuid) => remove(`/resource_providers/${uuid}`),

    async getInventories(uuid) {
      type Body = { resource_provider_generation: number; inventories: Record<string, Required<Inventory>> }
      const body = await need<Body>('GET', `/resource_providers/${uuid}/inventories`)
      return { generation: body.resource_provider_generation, inventories: body.inventories }
    },
    async setInventories(uuid, inventories) {
      await replace(async () => {
        const known = await client.getInventories(uuid)
        if (sameInventories(known.inventories, inventories)) return undefined
        const body = { resource_provider_generation: known.generation, inventories }
        return { path: `/resource_providers/${uuid}/inventories`, body }
      })
    },

    getTraits: async (uuid) =>
      (await need<{ traits: string[] }>('GET', `/resource_providers/${uuid}/traits`)).traits,
    async setTraits(uuid, traits) {
      const path = `/resource_providers/${uuid}/traits`
      await replace(async () => {
        const known = await need<{ traits: string[]; resource_provider_generation: number }>('GET', path)
        if (sameSet(known.traits, traits)) return undefined
        const added = new Set(traits).difference(new Set(known.traits))
        for (const name of added) if (name.startsWith('CUSTOM_')) await need('PUT', `/traits/${name}`)
        const generation = known.resource_provider_generation
        return { path, body: { traits: [...traits], resource_provider_generation: generation } }
      })
    },

    getAggregates: async (uuid) =>
      (await need<{ aggregates: string[] }>('GET', `/resource_providers/${uuid}/aggregates`)).aggregates,
    async setAggregates(uuid, aggregates) {
      const path = `/resource_providers/${uuid}/aggregates`
      await replace(async () => {
        const known = await need<{ aggregates: string[]; resource_provider_generation: number }>('GET', path)
        if (sameSet(known.aggregates, aggregates)) return undefined
        const generation = known.resource_provider_generation
        return { path, body: { aggregates: [...aggregates], resource_provider_generation: generation } }
      })
    },

    async ensureResourceClass(name) {
      await need('PUT', `/resource_classes/${name}`)
    },
    getProviderUsages: async (uuid) =>
      (await need<{ usages: Record<string, number> }>('GET', `/resource_providers/${uuid}/usages`)).usages,
    async getProjectUsages(projectId, userId) {
      const query = {
        project_id: projectId,
        consumer_type: 'all',
        ...(userId === undefined ? {} : { user_id: userId }),
      }
      type Body = { usages: { all?: Record<string, number> } }
      const { usages } = await need<Body>('GET', withQuery('/usages', query))
      const { consumer_count: _count, ...used } = usages.all ?? {}
      return used
    },
    getProviderAllocations: async (uuid) =>
      (
        await need<{ allocations: Record<string, { resources: Record<string, number> }> }>(
          'GET',
          `/resource_providers/${uuid}/allocations`,
        )
      ).allocations,

    async listAllocationCandidates(query) {
      type Body = {
        allocation_requests: AllocationRequest[]
        provider_summaries: Record<string, ProviderSummary>
      }
      const body = await need<Body>('GET', withQuery('/allocation_candidates', query))
      return { allocationRequests: body.allocation_requests, providerSummaries: body.provider_summaries }
    },
    async claim(consumer, request, projectId, userId, options = {}) {
      const body = consumerBody({
        ...request,
        projectId,
        userId,
        consumerGeneration: options.consumerGeneration ?? null,
        consumerType: options.consumerType ?? 'INSTANCE',
      })
      return toClaimResult(await call('PUT', `/allocations/${consumer}`, body))
    },
    async getAllocations(consumer) {
      type Body = {
        allocations: ConsumerAllocations['allocations']
        consumer_generation?: number
        project_id?: string
        user_id?: string
        consumer_type?: string
      }
      const body = await need<Body>('GET', `/allocations/${consumer}`)
      return {
        allocations: body.allocations,
        consumerGeneration: body.consumer_generation ?? null,
        projectId: body.project_id ?? null,
        userId: body.user_id ?? null,
        consumerType: body.consumer_type ?? null,
      }
    },
    deleteAllocations: (consumer) => remove(`/allocations/${consumer}`),
    async moveAllocations(consumers) {
      const body = Object.fromEntries(
        Object.entries(consumers).map(([consumer, move]) => [consumer, consumerBody(move)]),
      )
      return toClaimResult(await call('POST', '/allocations', body))
    },
    reshape: async (body) => toClaimResult(await call('POST', '/reshaper', body)),
  }

  async function remove(path: string): Promise<boolean> {
    const reply = await call('DELETE', path)
    if (reply.status === 404) return false
    if (reply.status >= 300) throw toFault(reply)
    return true
  }

  return client
}

interface ProviderBody {
  uuid: string
  name: string
  generation: number
  parent_provider_uuid: string | null
  root_provider_uuid: string
}

const toProvider = (body: ProviderBody): Provider => ({
  uuid: body.uuid,
  name: body.name,
  generation: body.generation,
  parentUuid: body.parent_provider_uuid,
  rootUuid: body.root_provider_uuid,
})

function consumerBody(move: ConsumerMove): Record<string, unknown> {
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

// Placement's own 409s tell a changed consumer or provider by a code; without it the resources are not to be had.
function toClaimResult(reply: HttpReply): ClaimResult {
  if (reply.status < 300) return { outcome: 'claimed' }
  if (reply.status !== 409) throw toFault(reply)
  const { code, detail } = errorOf(reply)
  return { outcome: code === 'placement.concurrent_update' ? 'conflict' : 'no-capacity', reason: detail }
}

function errorOf(reply: HttpReply): { code: string; detail: string } {
  const body = reply.body as { errors?: { code?: string; detail?: string }[] } | undefined
  const error = body?.errors?.[0]
  return {
    code: error?.code ?? '',
    detail: (error?.detail ?? `HTTP ${reply.status}`).split('\n').at(-1)!.trim(),
  }
}

function toFault(reply: HttpReply): Fault {
  const { code, detail } = errorOf(reply)
  const details = { status: reply.status, code }
  if (reply.status === 404) return new Fault('not-found', detail, details)
  if (reply.status === 409) return new Fault('conflict', detail, details)
  if (reply.status === 400) return new Fault('invalid', detail, details)
  return new Fault('unavailable', `Placement answered ${reply.status}: ${detail}`, details)
}

function withQuery(path: string, query: Query): string {
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

function sameInventories(known: Record<string, Required<Inventory>>, wanted: Inventories): boolean {
  if (!sameSet(Object.keys(known), Object.keys(wanted))) return false
  const defaults = { reserved: 0, min_unit: 1, max_unit: 2_147_483_647, step_size: 1, allocation_ratio: 1 }
  return Object.entries(wanted).every(([name, inventory]) => {
    const full = { ...defaults, ...inventory }
    return Object.entries(full).every(([key, value]) => known[name]?.[key as keyof Inventory] === value)
  })
}

const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  new Set(one).symmetricDifference(new Set(other)).size === 0
