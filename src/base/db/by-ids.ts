/**
 * Reads by lists of ids whose statements are built once, for a few lengths of list; shorter lists are filled up, at most
 * to twice what they are, since a server parses and looks up each id.
 */
import type { Compilable, InferResult } from 'kysely'
import type { Db } from './database.ts'
import { statement } from './statement.ts'

const lengths = [1, 2, 4, 8, 16, 32, 64, 128, 256, 500] as const
const longest = 500

/**
 * `const byIds = byIdsIn<Tables>()`, then `byIds((db, ids) => db.selectFrom('ports').selectAll().where('id', 'in', ids))`
 * gives a function of database and ids.
 */
export const byIdsIn =
  <T, Id extends string | number = string>() =>
  <B extends Compilable>(build: (db: Db<T>, ids: readonly Id[]) => B) =>
    listReader<T, Id, B>(build)

function listReader<T, Id extends string | number, B extends Compilable>(
  build: (db: Db<T>, ids: readonly Id[]) => B,
) {
  const read = new Map(
    lengths.map((length) => [
      length as number,
      // The parameters are the ids themselves, each by its place.
      statement((db: Db<T>, p: readonly Id[]) =>
        build(
          db,
          Array.from({ length }, (_, index) => p[index]!),
        ),
      ),
    ]),
  )
  return async (db: Db<T>, ids: readonly Id[]): Promise<InferResult<B>> => {
    const found: unknown[] = []
    for (let at = 0; at < ids.length; at += longest) {
      const slice = ids.slice(at, at + longest)
      const length = lengths.find((each) => each >= slice.length)!
      while (slice.length < length) slice.push(slice[0]!)
      const { rows } = await read.get(length)!(db, slice)
      if (ids.length <= longest) return rows
      found.push(...(rows as unknown[]))
    }
    return found as InferResult<B>
  }
}
