import type { CandidatesRequest } from '../../candidates/request.ts'
import type { Candidate } from '../../candidates/search.ts'
import type { Providers, SnapshotProvider } from '../../candidates/snapshot.ts'
import type { Request } from '../deps.ts'

/** Candidates as the request's microversion shows them, with what the client needs to know of their providers. */
export function candidatesView(
  request: Request,
  asked: CandidatesRequest,
  candidates: readonly Candidate[],
  providers: Providers,
): unknown {
  const summaries: Record<string, unknown> = {}
  const requested = new Set(asked.groups.flatMap((group) => [...group.resources.keys()]))
  for (const provider of summarized(request, candidates, providers)) {
    summaries[provider.uuid] = summaryView(request, provider, providers, requested)
  }
  return {
    allocation_requests: candidates.map((candidate) => allocationRequestView(request, candidate)),
    provider_summaries: summaries,
  }
}

function allocationRequestView(request: Request, { allocations, mappings }: Candidate): unknown {
  const entries = [...allocations].map(
    ([provider, amounts]) => [provider.uuid, Object.fromEntries(amounts)] as const,
  )
  if (!request.atLeast('1.12')) {
    const list = entries.map(([uuid, resources]) => ({ resource_provider: { uuid }, resources }))
    return { allocations: list }
  }
  const view: Record<string, unknown> = {
    allocations: Object.fromEntries(entries.map(([uuid, resources]) => [uuid, { resources }])),
  }
  if (request.atLeast('1.34')) {
    view['mappings'] = Object.fromEntries(
      [...mappings].map(([suffix, served]) => [suffix, [...served].map((provider) => provider.uuid)]),
    )
  }
  return view
}

// The whole trees of all providers in use; before 1.29, when trees were not known, only the providers themselves.
function summarized(
  request: Request,
  candidates: readonly Candidate[],
  providers: Providers,
): Set<SnapshotProvider> {
  const used = new Set(candidates.flatMap((candidate) => [...candidate.allocations.keys()]))
  if (!request.atLeast('1.29')) return used
  const roots = new Set([...used].map((provider) => provider.rootId))
  return new Set([...roots].flatMap((root) => providers.trees.get(root) ?? []))
}

function summaryView(
  request: Request,
  provider: SnapshotProvider,
  providers: Providers,
  requested: ReadonlySet<string>,
): unknown {
  const everything = request.atLeast('1.27')
  const resources: Record<string, { capacity: number; used: number }> = {}
  for (const [name, inventory] of provider.inventories) {
    if (!everything && !requested.has(name)) continue
    const capacity = Math.trunc((inventory.total - inventory.reserved) * inventory.allocationRatio)
    resources[name] = { capacity, used: inventory.used }
  }
  const view: Record<string, unknown> = { resources }
  if (request.atLeast('1.17')) view['traits'] = [...provider.traits]
  if (request.atLeast('1.29')) {
    const { parentId, rootId } = provider
    view['parent_provider_uuid'] = parentId === null ? null : (providers.byId.get(parentId)?.uuid ?? null)
    view['root_provider_uuid'] = providers.byId.get(rootId)?.uuid ?? provider.uuid
  }
  return view
}
