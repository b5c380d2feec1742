/** Application credentials may be narrowed to a list of requests. */
import type { AccessRule } from './context.ts'

/** True when one of the rules allows the request. */
export function allowsRequest(
  rules: readonly AccessRule[],
  request: { service: string; method: string; path: string },
): boolean {
  return rules.some(
    (rule) =>
      rule.service === request.service &&
      rule.method === request.method &&
      patternOf(rule.path).test(request.path),
  )
}

function patternOf(path: string): RegExp {
  const parts = path.split(/(\*\*|\*|\{[^}]*\})/).map((part) => {
    if (part === '**') return '.*'
    if (part === '*' || /^\{.*\}$/.test(part)) return '[^/]+'
    return part.replace(/[.+?^$()|[\]\\{}]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`)
}
