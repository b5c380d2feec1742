/** Groups routes by path and method, and chooses among those that share both by microversion and action. */
import { Fault } from '../errors.ts'
import { type Microversion, parseVersion } from './microversion.ts'
import type { Route } from './route.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

interface Candidate<Deps> {
  route: Route<Deps>
  since: Microversion
  until: Microversion
}

/** The routes of one path and method. */
export class RouteGroup<Deps> {
  readonly #candidates: Candidate<Deps>[] = []

  add(route: Route<Deps>): void {
    this.#candidates.push({
      route,
      since: route.since === undefined ? 0 : parseVersion(route.since),
      until: route.until === undefined ? Number.POSITIVE_INFINITY : parseVersion(route.until),
    })
  }

  /** True when some route of the group needs no token. */
  get isPublic(): boolean {
    return this.#candidates.some((candidate) => candidate.route.policy === null)
  }

  /** True when a success is not worth a line at info. */
  get isQuiet(): boolean {
    return this.#candidates.every((candidate) => candidate.route.quiet === true)
  }

  /** True when some route of the group takes its body as bytes. */
  get takesBytes(): boolean {
    return this.#candidates.some((candidate) => candidate.route.rawBody === true)
  }

  choose(version: Microversion, body: unknown): Route<Deps> {
    const alive = this.#candidates.filter((c) => c.since <= version && version <= c.until)
    if (alive.length === 0) throw new Fault('not-found', 'The resource could not be found.')
    const only = alive[0]!
    if (alive.length === 1 && only.route.action === undefined) return only.route
    const keys = body !== null && typeof body === 'object' ? Object.keys(body) : []
    const named = alive.find((c) => c.route.action !== undefined && keys.includes(c.route.action))
    const fallback = named ?? alive.find((c) => c.route.action === undefined)
    if (fallback !== undefined) return fallback.route
    if (keys.length !== 1)
      throw new Fault('invalid', 'The body must be an object with one key, the name of the action.')
    throw new Fault('invalid', `There is no such action: ${keys[0]}`)
  }
}

/** Path → method → the routes there. */
export function tabulate<Deps>(routes: readonly Route<Deps>[]): Map<string, Map<Method, RouteGroup<Deps>>> {
  const table = new Map<string, Map<Method, RouteGroup<Deps>>>()
  for (const route of routes) {
    const [method, path] = methodAndPath(route)
    const byMethod = table.get(path) ?? new Map<Method, RouteGroup<Deps>>()
    table.set(path, byMethod)
    const group = byMethod.get(method) ?? new RouteGroup<Deps>()
    byMethod.set(method, group)
    group.add(route)
  }
  return table
}

/** `{ get: '/servers' }` → `['GET', '/servers']`. */
export function methodAndPath<Deps>(route: Route<Deps>): [Method, string] {
  for (const key of ['get', 'post', 'put', 'patch', 'delete', 'head'] as const) {
    const path = route[key]
    if (path !== undefined) return [key.toUpperCase() as Method, path]
  }
  throw new Error('a route needs a method')
}
