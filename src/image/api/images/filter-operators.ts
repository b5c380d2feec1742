/** The operators in filter values: `in:a,"b,c"`, `gte:2026-01-01T00:00:00Z`. */
import { Fault } from '../../../base/errors.ts'
import type { Comparison } from '../../store/list-images.ts'

/** `in:x` → `['in', 'x']`; a value without an operator is compared with `eq`. */
export function splitOperator(value: string): [operator: string, rest: string] {
  const colon = value.indexOf(':')
  return colon < 0 ? ['eq', value] : [value.slice(0, colon), value.slice(colon + 1)]
}

const quotes = (): Fault =>
  new Fault(
    'invalid',
    'Invalid filter value: a value in double quotes must be closed, and a comma must stand between values.',
  )

/** Values between commas; one in double quotes may have commas, and quotes after a backslash. */
export function splitList(list: string): string[] {
  const found: string[] = []
  let rest = list
  while (rest !== '') {
    const quoted = /^"((?:[^"\\]|\\.)*)"(,|$)/.exec(rest)
    const bare = /^([^",]*)(,|$)/.exec(rest)
    const match = quoted ?? bare
    if (match === null) throw quotes()
    found.push(match[1]!)
    rest = rest.slice(match[0].length)
  }
  return found
}

const comparisons: Readonly<Record<string, Comparison>> = {
  eq: '=',
  neq: '!=',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
}

const time = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/

/** `gt:2026-01-01T00:00:00Z` → the comparison and the second in UTC, as it is stored. */
export function parseTimeFilter(name: string, value: string): { is: Comparison; second: string } {
  const [operator, text] = time.test(value) ? ['eq', value] : splitOperator(value)
  const is = comparisons[operator]
  if (is === undefined) throw new Fault('invalid', 'Unable to filter on a unknown operator.', { operator })
  const zoned = /(Z|[+-]\d{2}:?\d{2})$/.test(text) || !text.includes('T') ? text : `${text}Z`
  const at = time.test(text) ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(at))
    throw new Fault('invalid', `Bad "${name}" query filter format. Use ISO 8601 DateTime notation.`)
  return { is, second: new Date(at).toISOString().slice(0, 19) }
}
