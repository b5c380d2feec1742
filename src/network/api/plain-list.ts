/**
 * Lists by the values of columns alone, as other services and most clients ask for: the statement of each shape is
 * built once. The shape is which columns, how many values of each, and whether the caller sees everything.
 */
import { sql } from 'kysely'
import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import type { Tables } from '../store/tables.ts'
import type { Caller } from './caller.ts'
import type { Condition, Resource } from './resource.ts'

/** Values of one column; fewer are filled up with the first, so that there are only so many shapes. */
const lengths = [1, 2, 10, 50, 150] as const
/** Shapes that are kept; a list of another one is built anew each time. */
const mostShapes = 500

export interface PlainFilter {
  column: string
  values: readonly (string | number)[]
}

type Parameters = Readonly<Record<string, string | number>>
type Reader = (db: Db<Tables>, parameters: Parameters) => Promise<{ rows: unknown[] }>

const readers = new Map<string, Reader>()

/** The rows in the order of their ids; undefined where a statement must be built for this list alone. */
export async function readPlainList<Row extends { id: string }>(
  db: Db<Tables>,
  resource: Resource<Row>,
  filters: readonly PlainFilter[],
  caller: Caller,
): Promise<Row[] | undefined> {
  const seesAll = caller.admin || resource.visible === undefined
  if (!seesAll && caller.projectId === null) return undefined
  const parameters: Record<string, string | number> = seesAll ? {} : { projectId: caller.projectId! }
  let shape = `${resource.name} ${seesAll}`
  const padded: Shape['filters'][number][] = []
  for (const [index, { column, values }] of filters.entries()) {
    const length = lengths.find((each) => each >= values.length)
    if (length === undefined || values.length === 0) return undefined
    for (let at = 0; at < length; at++) parameters[`${index}.${at}`] = values[at] ?? values[0]!
    padded.push({ column, length })
    shape += ` ${column}:${length}`
  }
  let read = readers.get(shape)
  if (read === undefined) {
    if (readers.size >= mostShapes) return undefined
    read = readerOf(resource, { seesAll, filters: padded })
    readers.set(shape, read)
  }
  return (await read(db, parameters)).rows as Row[]
}

interface Shape {
  seesAll: boolean
  filters: readonly { column: string; length: number }[]
}

function readerOf<Row extends { id: string }>(resource: Resource<Row>, shape: Shape): Reader {
  // Whichever table it is, it has an id.
  const table = resource.table as 'networks'
  return statement((db: Db<Tables>, p: Parameters) => {
    const conditions: Condition[] = []
    if (!shape.seesAll)
      conditions.push(resource.visible!({ projectId: p['projectId'] as string, admin: false }))
    for (const [index, { column, length }] of shape.filters.entries()) {
      const values = Array.from({ length }, (_, at) => p[`${index}.${at}`])
      conditions.push(sql<boolean>`${sql.ref(`${table}.${column}`)} in (${sql.join(values)})`)
    }
    let query = db.selectFrom(table).selectAll(table)
    for (const condition of conditions) query = query.where(condition)
    return query.orderBy(`${table}.id`)
  })
}
