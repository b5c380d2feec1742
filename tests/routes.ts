/** Every route of every API as a page: what `docs/api/routes.md` holds, and a test keeps true. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Route } from '../src/base/http/route.ts'
import { methodAndPath } from '../src/base/http/table.ts'
import { computeRoutes } from '../src/compute/api/routes.ts'
import { identityRoutes } from '../src/identity/api/routes.ts'
import { imageApiRoutes } from '../src/image/service.ts'
import { networkRoutes } from '../src/network/api/routes.ts'
import { defaultNetworkOptions } from '../src/network/config.ts'
import { placementRoutes } from '../src/placement/api/routes.ts'

export const routesPage = join(import.meta.dirname, '../docs/api/routes.md')

const apis: readonly (readonly [title: string, routes: readonly Route<never>[]])[] = [
  ['Identity', identityRoutes],
  ['Image', imageApiRoutes],
  ['Placement', placementRoutes],
  ['Compute, below `/v2.1`', computeRoutes],
  ['Networking', networkRoutes(defaultNetworkOptions)],
]

/** The page as Markdown. */
export function describeRoutes(): string {
  const sections = apis.map(([title, routes]) => {
    const lines = [...new Set(routes.map(describe))].sort()
    return `## ${title}\n\n${lines.length} routes.\n\n    ${lines.join('\n    ')}\n`
  })
  const head = '# Routes\n\nGenerated from the route tables by `npm run docs`; a test keeps it true.\n'
  return [head, ...sections].join('\n')
}

function describe(route: Route<never>): string {
  const [method, path] = methodAndPath(route)
  const action = route.action === undefined ? '' : ` {${route.action}}`
  const versions = [route.since && `since ${route.since}`, route.until && `until ${route.until}`].filter(
    Boolean,
  )
  return `${path}  ${method}${action}${versions.length === 0 ? '' : `  (${versions.join(', ')})`}`
}

if (import.meta.main) writeFileSync(routesPage, describeRoutes())
