import { assertResourceClasses, assertTraits, hasResources, satisfies } from '../../candidates/filters.ts'
import type { Providers, SnapshotProvider } from '../../candidates/snapshot.ts'
import type { PlacementDeps, Request } from '../deps.ts'
import { lastOf, readMemberOf, readResources, readTraits } from '../query.ts'
import { setModified } from '../request.ts'
import { providerView } from './provider.view.ts'

/** `GET /resource_providers`: those that pass all filters. */
export async function listProviders(request: Request, deps: PlacementDeps): Promise<unknown> {
  const memberOf = readMemberOf(request)
  const traits = readTraits(request)
  const wanted = lastOf(request, 'resources')
  const resources = wanted === undefined ? new Map<string, number>() : readResources(wanted)
  const providers = await deps.snapshot.current()
  assertResourceClasses(providers, resources)
  assertTraits(providers, traits, 'Invalid trait(s) in "required" parameter: ')
  const found = [...preselect(providers, request)]
    .filter((provider) => satisfies(provider.aggregates, memberOf) && satisfies(provider.traits, traits))
    .filter((provider) => hasResources(provider, resources))
    .sort((one, other) => one.id - other.id)
  setModified(
    request,
    found.map((provider) => provider.updatedAt ?? provider.createdAt),
  )
  const uuidOf = (id: number): string => providers.byId.get(id)!.uuid
  return {
    resource_providers: found.map((provider) =>
      providerView(request, {
        uuid: provider.uuid,
        name: provider.name,
        generation: provider.generation,
        parentUuid: provider.parentId === null ? null : uuidOf(provider.parentId),
        rootUuid: uuidOf(provider.rootId),
      }),
    ),
  }
}

function* preselect(providers: Providers, request: Request): Generator<SnapshotProvider> {
  const uuid = lastOf(request, 'uuid')
  const name = lastOf(request, 'name')
  const inTree = lastOf(request, 'in_tree')
  let among: Iterable<SnapshotProvider> = providers.byId.values()
  if (inTree !== undefined) {
    const rootId = providers.byUuid.get(inTree)?.rootId
    among = rootId === undefined ? [] : (providers.trees.get(rootId) ?? [])
  }
  for (const provider of among) {
    if (uuid !== undefined && provider.uuid !== uuid) continue
    if (name !== undefined && provider.name !== name) continue
    yield provider
  }
}
