import type { Request } from '../deps.ts'
import { mountOf } from '../request.ts'

export interface ShownProvider {
  uuid: string
  name: string
  generation: number
  parentUuid: string | null
  rootUuid: string
}

const relations = [
  ['inventories', '1.0'],
  ['usages', '1.0'],
  ['aggregates', '1.1'],
  ['traits', '1.6'],
  ['allocations', '1.11'],
] as const

/** A provider as the request's microversion shows it. */
export function providerView(request: Request, provider: ShownProvider): Record<string, unknown> {
  const url = `${mountOf(request)}/resource_providers/${provider.uuid}`
  const links = relations
    .filter(([, since]) => request.atLeast(since))
    .map(([rel]) => ({ rel, href: `${url}/${rel}` }))
  const view: Record<string, unknown> = {
    uuid: provider.uuid,
    name: provider.name,
    generation: provider.generation,
    links: [{ rel: 'self', href: url }, ...links],
  }
  if (request.atLeast('1.14')) {
    view['parent_provider_uuid'] = provider.parentUuid
    view['root_provider_uuid'] = provider.rootUuid
  }
  return view
}
