/**
 * Statements that are built once. Kysely takes longer to build and compile a query than SQLite to run it; on paths that
 * every request takes, the text is kept and only its parameters change.
 */
import type { Compilable, CompiledQuery, InferResult, Insertable } from 'kysely'
import type { Db } from './database.ts'
import { executeDirectly } from './direct.ts'

class Parameter {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/**
 * `const find = statement((db: Db<Tables>, p: { id: string }) => db.selectFrom('things').selectAll().where('id', '=', p.id))`
 * then `await find(db, { id })`, which gives rows. The builder runs once per dialect, with placeholders for the
 * parameters: it must not look at them, so neither lists nor conditions can depend on them.
 */
export function statement<T, P extends object, B extends Compilable>(build: (db: Db<T>, parameters: P) => B) {
  const compiled = new Map<unknown, { query: CompiledQuery; take: (string | number | undefined)[] }>()

  function compile(db: Db<T>) {
    const placeholders = new Proxy({}, { get: (_target, name) => new Parameter(String(name)) })
    const query = build(db, placeholders as P).compile()
    const take = query.parameters.map((value) => (value instanceof Parameter ? keyOf(value) : undefined))
    return { query, take }
  }

  return async (db: Db<T>, parameters: P): Promise<{ rows: InferResult<B>; changed: number }> => {
    const dialect = db.getExecutor().adapter.constructor
    let known = compiled.get(dialect)
    if (known === undefined) {
      known = compile(db)
      compiled.set(dialect, known)
    }
    const { query, take } = known
    const values = take.map((name, index) =>
      name === undefined ? query.parameters[index] : parameters[name as keyof P],
    )
    const direct = executeDirectly(db, query, values)
    // Not awaited where it is there: in a database of this process that takes a good part of the time.
    if (direct !== undefined)
      return (direct instanceof Promise ? await direct : direct) as { rows: InferResult<B>; changed: number }
    const result = await db.executeQuery({ ...query, parameters: values })
    return { rows: result.rows as InferResult<B>, changed: Number(result.numAffectedRows ?? 0n) }
  }
}

// A place in a list of parameters as a number: found faster.
const keyOf = ({ name }: Parameter): string | number => (/^\d+$/.test(name) ? Number(name) : name)

/** `const insertThing = insertStatement<Tables, 'things'>('things')`, then `await insertThing(db, { id, note })`. */
export function insertStatement<T, K extends keyof T & string>(table: K) {
  const insertOf = byShape((columns) =>
    statement((db: Db<T>, p: Insertable<T[K]>) => insertInto(db, table, columns, p)),
  )
  return async (db: Db<T>, row: Insertable<T[K]>): Promise<void> => {
    await insertOf(row)(db, row)
  }
}

/** Makes something once for all rows that have the same columns. */
function byShape<S>(make: (columns: readonly string[]) => S): (row: object) => S {
  const shapes = new Map<string, S>()
  return (row) => {
    const columns = Object.keys(row)
    const shape = columns.join()
    let made = shapes.get(shape)
    if (made === undefined) {
      made = make(columns)
      shapes.set(shape, made)
    }
    return made
  }
}

function insertInto<T, K extends keyof T & string>(
  db: Db<T>,
  table: K,
  columns: readonly string[],
  p: Insertable<T[K]>,
) {
  const values = Object.fromEntries(columns.map((column) => [column, p[column as keyof typeof p]]))
  return db.insertInto(table).values(values as never)
}

/** As `insertStatement`, and gives the id that the row was given. */
export function insertNumberedStatement<T, K extends keyof T & string>(table: K) {
  const insertOf = byShape((columns) =>
    statement((db: Db<T>, p: Insertable<T[K]>) => insertInto(db, table, columns, p).returning('id' as never)),
  )
  return async (db: Db<T>, row: Insertable<T[K]>): Promise<number> => {
    const [inserted] = (await insertOf(row)(db, row)).rows as { id: number }[]
    return inserted!.id
  }
}

/** As `insertStatement`, for some rows with the same columns in one statement; of none nothing is asked. */
export function insertRowsStatement<T, K extends keyof T & string>(table: K) {
  const shapes = new Map<string, ReturnType<typeof insertRowsOf<T, K>>>()
  return async (db: Db<T>, rows: readonly Insertable<T[K]>[]): Promise<void> => {
    if (rows.length === 0) return
    const columns = Object.keys(rows[0]!)
    const shape = `${rows.length} ${columns}`
    let insert = shapes.get(shape)
    if (insert === undefined) {
      insert = insertRowsOf<T, K>(table, columns, rows.length)
      shapes.set(shape, insert)
    }
    const values = rows.flatMap((row) => columns.map((column) => row[column as keyof typeof row]))
    await insert(db, values)
  }
}

function insertRowsOf<T, K extends keyof T & string>(table: K, columns: readonly string[], count: number) {
  // The parameters are the values themselves, each by its place.
  return statement((db: Db<T>, p: readonly unknown[]) => {
    const rows = Array.from({ length: count }, (_row, at) =>
      Object.fromEntries(columns.map((column, index) => [column, p[at * columns.length + index]])),
    )
    return db.insertInto(table).values(rows as never)
  })
}
