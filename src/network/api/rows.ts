/** Finds a resource's rows as a caller may see them. */
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../../base/db/database.ts'
import { badRequest } from '../errors.ts'
import { byIds } from '../store/by-ids.ts'
import type { Tables } from '../store/tables.ts'
import type { Caller } from './caller.ts'
import { type PlainFilter, readPlainList } from './plain-list.ts'
import type { ListQuery } from './query.ts'
import type { Condition, Resource } from './resource.ts'

const columnName = (resource: Resource<{ id: string }>, attribute: string): string =>
  resource.columns?.[attribute] ?? (attribute === 'tenant_id' ? 'project_id' : attribute)

const column = (resource: Resource<{ id: string }>, attribute: string): RawBuilder<unknown> =>
  sql.ref(`${resource.table}.${columnName(resource, attribute)}`)

/** Rows that the caller can see and the filters let through, sorted, one page of them. */
export async function listRows<Row extends { id: string }>(
  db: Db<Tables>,
  resource: Resource<Row>,
  query: ListQuery,
  caller: Caller,
): Promise<Row[]> {
  const plain = plainFilters(resource, query)
  const known = plain === undefined ? undefined : await readPlainList(db, resource, plain, caller)
  if (known !== undefined) return known
  const conditions = conditionsOf(resource, query.filters, caller)
  const sorts = query.sorts.some((sort) => sort.key === 'id')
    ? query.sorts
    : [...query.sorts, { key: 'id', ascending: true }]
  if (query.limit > 0 && query.marker !== undefined) {
    const marker = await getVisible(db, resource, query.marker, caller)
    conditions.push(beyond(resource, sorts, marker, query.reverse))
  }
  const where = conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`
  const order = sql.join(
    sorts.map(({ key, ascending }) => {
      const by = column(resource, key)
      const direction = ascending !== query.reverse ? sql`asc` : sql`desc`
      // Null is the smallest value: PostgreSQL would take it for the largest.
      return key === 'id' ? sql`${by} ${direction}` : sql`${by} is not null ${direction}, ${by} ${direction}`
    }),
  )
  const limit = query.limit > 0 ? sql`limit ${sql.lit(query.limit)}` : sql``
  const table = sql.table(resource.table)
  const found = await sql<Row>`select ${table}.* from ${table} ${where} order by ${order} ${limit}`.execute(
    db,
  )
  return query.reverse ? found.rows.reverse() : found.rows
}

/** One row, or the resource's own "not found" where the caller may not know of it. */
export async function getVisible<Row extends { id: string }>(
  db: Db<Tables>,
  resource: Resource<Row>,
  id: string,
  caller: Caller,
): Promise<Row> {
  const row = await findVisible(db, resource, id, caller)
  if (row === undefined) throw resource.unknown(id)
  return row
}

export async function findVisible<Row extends { id: string }>(
  db: Db<Tables>,
  resource: Resource<Row>,
  id: string,
  caller: Caller,
): Promise<Row | undefined> {
  const known = await readPlainList(db, resource, [{ column: 'id', values: [id] }], caller)
  if (known !== undefined) return known[0]
  const conditions = [sql<boolean>`${column(resource, 'id')} = ${id}`, ...conditionsOf(resource, {}, caller)]
  const table = sql.table(resource.table)
  const where = sql.join(conditions, sql` and `)
  const found = await sql<Row>`select ${table}.* from ${table} where ${where}`.execute(db)
  return found.rows[0]
}

const readers = new Map<string, ReturnType<typeof readerOf>>()

// Whichever table it is, it has an id; the rows are of the resource that names it.
const readerOf = (table: string) =>
  byIds((db, ids) =>
    db
      .selectFrom(table as 'networks')
      .selectAll()
      .where('id', 'in', ids),
  )

/** Rows by id in that order, whoever asks. */
export async function rowsById<Row extends { id: string }>(
  db: Db<Tables>,
  resource: Resource<Row>,
  ids: readonly string[],
): Promise<Row[]> {
  let read = readers.get(resource.table)
  if (read === undefined) {
    read = readerOf(resource.table)
    readers.set(resource.table, read)
  }
  const found = (await read(db, ids)) as unknown as Row[]
  const byId = new Map(found.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

// The filters of a list that asks for rows by values of columns and nothing else.
function plainFilters<Row extends { id: string }>(
  resource: Resource<Row>,
  { filters, sorts, limit }: ListQuery,
): PlainFilter[] | undefined {
  if (sorts.length > 0 || limit > 0) return undefined
  const plain: PlainFilter[] = []
  for (const [name, values] of Object.entries(filters)) {
    const isTag = tagConditions[name] !== undefined && resource.tagged === true
    if (isTag || resource.filters?.[name] !== undefined) return undefined
    plain.push({ column: columnName(resource, name), values: columnValues(resource, name, values) })
  }
  return plain
}

function conditionsOf<Row extends { id: string }>(
  resource: Resource<Row>,
  filters: ListQuery['filters'],
  caller: Caller,
): Condition[] {
  const conditions: Condition[] = []
  if (!caller.admin && resource.visible !== undefined) conditions.push(resource.visible(caller))
  for (const [name, values] of Object.entries(filters)) {
    const special = resource.filters?.[name]
    if (special !== undefined) conditions.push(special(values, caller))
    else if (tagConditions[name] !== undefined && resource.tagged === true)
      conditions.push(tagConditions[name](resource.table, values))
    else conditions.push(plainCondition(resource, name, values))
  }
  return conditions
}

function columnValues(
  resource: Resource<{ id: string }>,
  name: string,
  values: readonly string[],
): (string | number)[] {
  const convert = resource.attributes[name]?.convert
  const wanted = values.map((value) => {
    const converted = convert === undefined ? value : convert(value)
    return typeof converted === 'boolean' ? Number(converted) : converted
  })
  const simple = wanted.every((value) => typeof value === 'string' || typeof value === 'number')
  if (!simple) throw badRequest(`['${name}'] is invalid attribute for filtering`)
  return wanted as (string | number)[]
}

const plainCondition = (
  resource: Resource<{ id: string }>,
  name: string,
  values: readonly string[],
): Condition => sql<boolean>`${column(resource, name)} in (${sql.join(columnValues(resource, name, values))})`

// Everything after the marker in the order of the list: for keys a, b: a > A or (a = A and b > B); null is the smallest.
function beyond<Row extends { id: string }>(
  resource: Resource<Row>,
  sorts: ListQuery['sorts'],
  marker: Row,
  reverse: boolean,
): Condition {
  const value = (key: string) =>
    (marker as Record<string, unknown>)[resource.columns?.[key] ?? (key === 'tenant_id' ? 'project_id' : key)]
  const equal = (key: string): Condition => {
    const by = column(resource, key)
    return value(key) == null ? sql<boolean>`${by} is null` : sql<boolean>`${by} = ${value(key)}`
  }
  const next = ({ key, ascending }: ListQuery['sorts'][number]): Condition => {
    const by = column(resource, key)
    const isUp = ascending !== reverse
    if (value(key) == null) return isUp ? sql<boolean>`${by} is not null` : sql<boolean>`1 = 0`
    return isUp ? sql<boolean>`${by} > ${value(key)}` : sql<boolean>`(${by} < ${value(key)} or ${by} is null)`
  }
  const parts = sorts.map((sort, index) => {
    const same = sorts.slice(0, index).map((before) => equal(before.key))
    return sql<boolean>`(${sql.join([...same, next(sort)], sql` and `)})`
  })
  return sql<boolean>`(${sql.join(parts, sql` or `)})`
}

const splitTags = (values: readonly string[]): string[] => values.flatMap((value) => value.split(','))

function taggedWith(table: string, tags: readonly string[], atLeast: number): Condition {
  const id = sql.ref(`${table}.id`)
  return sql<boolean>`(select count(*) from tags where tags.resource_id = ${id} and tags.tag in (${sql.join(tags)})) >= ${sql.lit(atLeast)}`
}

const tagConditions: Readonly<Record<string, (table: string, values: readonly string[]) => Condition>> = {
  tags: (table, values) => taggedWith(table, splitTags(values), new Set(splitTags(values)).size),
  'tags-any': (table, values) => taggedWith(table, splitTags(values), 1),
  'not-tags': (table, values) =>
    sql<boolean>`not ${taggedWith(table, splitTags(values), new Set(splitTags(values)).size)}`,
  'not-tags-any': (table, values) => sql<boolean>`not ${taggedWith(table, splitTags(values), 1)}`,
}
