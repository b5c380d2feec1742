import type { IdentityRequest } from '../identity-route.ts'

/** `tags` wants all, `tags-any` one; `not-tags` not all, `not-tags-any` none. Names are separated by commas. */
export function fitsTags(request: IdentityRequest, tags: readonly string[]): boolean {
  const named = (parameter: string): string[] | undefined => {
    const value = request.query[parameter]
    return value === undefined ? undefined : [value].flat().join(',').split(',')
  }
  const has = (tag: string): boolean => tags.includes(tag)
  const all = named('tags')
  const any = named('tags-any')
  const notAll = named('not-tags')
  const notAny = named('not-tags-any')
  return (
    (all === undefined || all.every(has)) &&
    (any === undefined || any.some(has)) &&
    (notAll === undefined || !notAll.every(has)) &&
    (notAny === undefined || !notAny.some(has))
  )
}
