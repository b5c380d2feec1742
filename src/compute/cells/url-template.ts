/**
 * Cell mappings may hold templates instead of URLs: `{scheme}://{username}:{password}@{hostname}/nova_cell1`, filled
 * from the URL of the reader's own configuration, so that passwords stand in one place (nova's cells v2 documentation).
 */

/** Fills the template from `configured`; a URL without braces, or with nothing to fill it from, stays as it is. */
export function fillUrl(template: string, configured: string | null | undefined): string {
  if (!template.includes('{') || !configured) return template
  const values = partsOf(configured)
  return template.replace(/\{(\w+)\}/g, (found, name: string) => values[name] ?? found)
}

function partsOf(url: string): Record<string, string> {
  const match = /^([^:]+):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(url)
  if (match === null) return {}
  const [, scheme = '', places = '', path = '', query = '', fragment = ''] = match
  const [first = '', ...others] = places.split(',')
  const parts: Record<string, string> = {
    scheme,
    path: path.replace(/^\//, ''),
    query,
    fragment,
    ...placeOf(first, ''),
  }
  // Several hosts of one message broker: username1, hostname1 and so on, beginning with the first.
  if (others.length > 0) {
    for (const [index, place] of [first, ...others].entries())
      Object.assign(parts, placeOf(place, `${index + 1}`))
  }
  return parts
}

function placeOf(place: string, suffix: string): Record<string, string> {
  const at = place.lastIndexOf('@')
  const [username = '', password = ''] = at === -1 ? [] : place.slice(0, at).split(/:(.*)/s)
  const host = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(place.slice(at + 1))
  return {
    [`username${suffix}`]: username,
    [`password${suffix}`]: password,
    [`hostname${suffix}`]: host?.[1] ?? '',
    [`port${suffix}`]: host?.[2] ?? '',
  }
}

/** The URL without its passwords, as `nova-manage cell_v2 list_cells` shows it: one that names no host loses slashes. */
export const maskUrl = (url: string): string =>
  url.replace(/(\/\/|,)([^:@/,]*):[^@/,]*@/g, '$1$2:****@').replace(/^none:\/\/\/$/, 'none:/')
