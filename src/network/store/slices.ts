/** As many values as every database takes in one `in (…)`. */
const most = 500

/** Asks for a list of ids in parts; an empty list asks nothing. */
export async function inSlices<T>(
  ids: readonly string[],
  read: (slice: readonly string[]) => Promise<T[]>,
): Promise<T[]> {
  if (ids.length === 0) return []
  if (ids.length <= most) return read(ids)
  const found: T[] = []
  for (let at = 0; at < ids.length; at += most) found.push(...(await read(ids.slice(at, at + most))))
  return found
}

/** Rows by one of their columns. */
export function groupBy<Row, Key>(rows: readonly Row[], key: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>()
  for (const row of rows) {
    const group = groups.get(key(row))
    if (group === undefined) groups.set(key(row), [row])
    else group.push(row)
  }
  return groups
}
