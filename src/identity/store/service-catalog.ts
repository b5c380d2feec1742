/** The catalog that tokens carry: enabled endpoints of enabled services, their URLs filled in for the scope. */
import type { Db } from '#base/db/database.ts'
import { listEndpoints, listServices } from './catalog.ts'
import { endpointsOfProject } from './endpoint-filters.ts'
import { parseObject } from './extra.ts'
import type { Tables } from './tables.ts'

export interface CatalogEntry {
  id: string
  type: string
  name: string
  endpoints: readonly {
    id: string
    interface: string
    region_id: string | null
    region: string | null
    url: string
  }[]
}

/** An endpoint whose URL wants the project is left out where the scope has none. */
export async function loadCatalog(
  db: Db<Tables>,
  scope: { userId: string; projectId: string | null },
): Promise<CatalogEntry[]> {
  const named = scope.projectId === null ? [] : await endpointsOfProject(db, scope.projectId)
  const wanted = named.length === 0 ? await listEndpoints(db) : named
  const endpoints = wanted.filter((endpoint) => endpoint.enabled === 1)
  const services = (await listServices(db)).filter((service) => service.enabled === 1)
  return services.map((service) => ({
    id: service.id,
    type: service.type,
    name: String(parseObject(service.extra)['name'] ?? ''),
    endpoints: endpoints
      .filter((endpoint) => endpoint.service_id === service.id)
      .flatMap((endpoint) => {
        const url = fillIn(endpoint.url, scope)
        if (url === undefined) return []
        const { id, region_id } = endpoint
        return [{ id, interface: endpoint.interface, region_id, region: region_id, url }]
      }),
  }))
}

function fillIn(template: string, scope: { userId: string; projectId: string | null }): string | undefined {
  const values: Record<string, string | null> = {
    project_id: scope.projectId,
    tenant_id: scope.projectId,
    user_id: scope.userId,
  }
  let complete = true
  const url = template.replace(/(?:\$|%)\((\w+)\)s?/g, (_, name: string) => {
    const value = values[name]
    if (value === null || value === undefined) complete = false
    return value ?? ''
  })
  return complete ? url : undefined
}
