/** Lists as keystone answers them: filtered by any attribute, with links. */
import { Fault } from '#base/errors.ts'
import type { IdentityRequest } from './identity-route.ts'

type View = Readonly<Record<string, unknown>>

/** `{ users: […], links: { self, previous, next } }`. */
export function collection(
  request: IdentityRequest,
  key: string,
  views: readonly View[],
): Record<string, unknown> {
  return { [key]: views, links: { next: null, self: request.origin + request.url, previous: null } }
}

const comparators = ['contains', 'icontains', 'startswith', 'istartswith', 'endswith', 'iendswith'] as const

/**
 * Keeps what fits the query: `?enabled=false&name=x&name__icontains=y` for the attributes that the resource can be
 * filtered by; other parameters are not looked at.
 */
export function filtered<V extends View>(
  request: IdentityRequest,
  views: readonly V[],
  attributes: readonly string[],
): V[] {
  const tests: ((view: V) => boolean)[] = []
  for (const [parameter, given] of Object.entries(request.query)) {
    const [attribute = '', comparator] = parameter.split('__')
    if (!attributes.includes(attribute)) continue
    const wanted = Array.isArray(given) ? given.at(-1)! : given
    if (comparator === undefined) tests.push((view) => isEqual(view[attribute], wanted))
    else if ((comparators as readonly string[]).includes(comparator)) {
      tests.push((view) => compare(comparator, view[attribute], wanted))
    }
  }
  return tests.length === 0 ? [...views] : views.filter((view) => tests.every((test) => test(view)))
}

function isEqual(value: unknown, wanted: string): boolean {
  if (typeof value === 'boolean') return value === isTrue(wanted)
  return value !== null && value !== undefined && String(value).toLowerCase() === wanted.toLowerCase()
}

/** A flag in a query: everything but `0` and `false` means yes, also nothing at all. */
export const isTrue = (text: string): boolean => !/^(0|f|false|off|n|no)$/i.test(text)

function compare(comparator: string, value: unknown, wanted: string): boolean {
  if (typeof value !== 'string') return false
  const fold = comparator.startsWith('i')
  const [text, part] = fold ? [value.toLowerCase(), wanted.toLowerCase()] : [value, wanted]
  if (comparator.endsWith('contains')) return text.includes(part)
  return comparator.endsWith('startswith') ? text.startsWith(part) : text.endsWith(part)
}

/** The value of a query parameter that is given at most once. */
export function queried(request: IdentityRequest, name: string): string | undefined {
  const value = request.query[name]
  if (Array.isArray(value)) throw new Fault('invalid', `The query parameter ${name} is given more than once.`)
  return value
}

/** True when a flag such as `?effective` or `?effective=1` is set. */
export function isSet(request: IdentityRequest, name: string): boolean {
  const value = request.query[name]
  return value !== undefined && isTrue([value].flat().at(-1)!)
}
