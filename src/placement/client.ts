/** Placement at microversion 1.39 as the other services use it. Nothing else of `placement/` may be imported by them. */
import type { HttpCall, HttpReply, Send } from '../base/http/client.ts'
import type {
  AllocationCandidates,
  AllocationRequest,
  ClaimOptions,
  ClaimResult,
  ConsumerAllocations,
  ConsumerMove,
  Inventories,
  Inventory,
  Provider,
  ProviderSummary,
  Query,
} from './client/types.ts'
import {
  consumerBody,
  errorOf,
  type ProviderBody,
  sameInventories,
  sameSet,
  toClaimResult,
  toFault,
  toProvider,
  withQuery,
} from './client/wire.ts'

export type * from './client/types.ts'

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
