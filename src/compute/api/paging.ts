import { Fault } from '../../base/errors.ts'
import type { ApiRequest } from '../../base/http/route.ts'

export interface Page {
  limit: number
  marker?: string
}

/** The last value of a query parameter, as nova takes of several. */
export function queryValue(request: ApiRequest<never>, name: string): string | undefined {
  const value = request.query[name]
  return Array.isArray(value) ? value.at(-1) : value
}

/** `limit` and `marker`; without a limit, or with one above the maximum, it is the maximum. */
export function pageOf(request: ApiRequest<never>, maxLimit: number): Page {
  const asked = queryValue(request, 'limit')
  const marker = queryValue(request, 'marker')
  if (asked !== undefined && !/^[0-9]+$/.test(asked)) {
    throw new Fault(
      'invalid',
      asked.startsWith('-') ? 'limit param must be positive' : 'limit param must be an integer',
    )
  }
  const limit = asked === undefined ? maxLimit : Math.min(Number(asked), maxLimit)
  return marker === undefined || marker === '' ? { limit } : { limit, marker }
}

/** True when there may be more after this page. */
export const isFull = (items: readonly unknown[], limit: number): boolean =>
  items.length > 0 && items.length === limit
