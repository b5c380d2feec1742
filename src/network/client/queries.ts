/** Queries of lists. */

/** Longest list of ids in one URL, which neutron takes up to 8,192 bytes of; more are asked for in several calls. */
const idsPerCall = 150

/** One query per slice of the longest list; an empty list asks for nothing at all. */
export function queries(
  filters: Readonly<Record<string, readonly string[] | string | boolean | undefined>>,
): string[] {
  const fixed: [string, string][] = []
  let long: [string, readonly string[]] | undefined
  for (const [name, value] of Object.entries(filters)) {
    if (value === undefined) continue
    if (!Array.isArray(value)) {
      fixed.push([name, String(value)])
      continue
    }
    if (value.length === 0) return []
    if (long !== undefined && value.length <= long[1].length) {
      for (const item of value as readonly string[]) fixed.push([name, item])
      continue
    }
    if (long !== undefined) for (const item of long[1]) fixed.push([long[0], item])
    long = [name, value]
  }
  const slices: (readonly string[])[] = []
  if (long === undefined) slices.push([])
  else for (let at = 0; at < long[1].length; at += idsPerCall) slices.push(long[1].slice(at, at + idsPerCall))
  return slices.map((slice) => {
    const pairs = [...fixed, ...slice.map((item): [string, string] => [long?.[0] ?? '', item])]
    return pairs.length === 0
      ? ''
      : `?${pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')}`
  })
}
