import type { ApiRequest } from '../../base/http/route.ts'
import type { ListQuery } from './query.ts'

/** Where the pages before and after this one are. */
export function pageLinks(
  request: ApiRequest,
  query: ListQuery,
  rows: readonly { id: string }[],
): { rel: string; href: string }[] {
  if (query.limit === 0) return []
  const links: { rel: string; href: string }[] = []
  const full = rows.length >= query.limit
  if (full || query.reverse) links.push({ rel: 'next', href: link(request, rows.at(-1)?.id, false) })
  if (full || !query.reverse) links.push({ rel: 'previous', href: link(request, rows[0]?.id, true) })
  return links
}

function link(request: ApiRequest, marker: string | undefined, reverse: boolean): string {
  const parameters = new URLSearchParams(request.url.split('?')[1] ?? '')
  parameters.delete('marker')
  parameters.delete('page_reverse')
  if (marker !== undefined) parameters.set('marker', marker)
  if (reverse) parameters.set('page_reverse', 'True')
  return `${request.origin}${request.path}?${parameters.toString()}`
}
