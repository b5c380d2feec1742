/** Finds the path of a route table that an address fits: `/servers/:id` for `/servers/4711`. */

interface Branch<T> {
  readonly fixed: Map<string, Branch<T>>
  any?: Branch<T>
  leaf?: { value: T; names: readonly string[] }
}

export interface FoundPath<T> {
  value: T
  params: Readonly<Record<string, string>>
}

const longest = 1000

/** Knows paths of whole segments only, fixed or `:name`; a fixed one goes before a name. */
export class PathTree<T> {
  readonly #root: Branch<T> = { fixed: new Map() }

  constructor(paths: ReadonlyMap<string, T>) {
    for (const [path, value] of paths) this.#add(path, value)
  }

  /** Undefined, too, for an address whose meaning needs a closer look: escapes, empty segments, great length. */
  find(path: string): FoundPath<T> | undefined {
    if (path.length > longest || path.includes('%')) return undefined
    const segments = path.split('/').slice(1)
    const values: string[] = []
    const leaf = walk(this.#root, segments, 0, values)
    if (leaf === undefined) return undefined
    const params: Record<string, string> = {}
    for (const [index, name] of leaf.names.entries()) params[name] = values[index]!
    return { value: leaf.value, params }
  }

  #add(path: string, value: T): void {
    const segments = path.split('/').slice(1)
    const isPlain = segments.every((segment) => /^(:\w+|[^:*()?%]+)$/.test(segment))
    if (!isPlain) return
    let branch = this.#root
    for (const segment of segments) {
      if (segment.startsWith(':')) {
        branch.any ??= { fixed: new Map() }
        branch = branch.any
        continue
      }
      const next: Branch<T> = branch.fixed.get(segment) ?? { fixed: new Map() }
      branch.fixed.set(segment, next)
      branch = next
    }
    const names = segments.filter((segment) => segment.startsWith(':')).map((segment) => segment.slice(1))
    branch.leaf = { value, names }
  }
}

function walk<T>(
  branch: Branch<T>,
  segments: readonly string[],
  at: number,
  values: string[],
): Branch<T>['leaf'] {
  const segment = segments[at]
  if (segment === undefined) return branch.leaf
  if (segment === '') return undefined
  const next = branch.fixed.get(segment)
  const found = next === undefined ? undefined : walk(next, segments, at + 1, values)
  if (found !== undefined || branch.any === undefined) return found
  values.push(segment)
  const inAny = walk(branch.any, segments, at + 1, values)
  if (inAny === undefined) values.pop()
  return inAny
}
