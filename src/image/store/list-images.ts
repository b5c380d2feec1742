/** The list of images: who sees what, filters, order and pages, all in one query. */
import { type Expression, type ExpressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely'
import { Fault } from '../../base/errors.ts'
import { type Image, type ImageDb, type Viewer, withDetails } from './images.ts'
import type { ImageRow, ImageTables } from './tables.ts'

export type SortKey =
  | 'name'
  | 'status'
  | 'container_format'
  | 'disk_format'
  | 'size'
  | 'id'
  | 'created_at'
  | 'updated_at'

export type Comparison = '=' | '!=' | '>' | '>=' | '<' | '<='

export interface ImageQuery {
  viewer: Viewer
  /** Membership that makes a shared image listed: `accepted`, `pending`, `rejected`, or `all`. */
  memberStatus: string
  /** Undefined: all but other projects' community images; `all`: those too. */
  visibility: string | undefined
  tags: readonly string[]
  /** Columns that must have one of the values. */
  oneOf: readonly { column: keyof ImageRow; values: readonly (string | number | null)[] }[]
  ranges: readonly {
    column: 'size' | 'virtual_size' | 'min_ram' | 'min_disk'
    is: '>=' | '<='
    value: number
  }[]
  /** Compared to the second, as they are shown. */
  times: readonly { column: 'created_at' | 'updated_at'; is: Comparison; second: string }[]
  properties: Readonly<Record<string, string>>
  sort: readonly { key: SortKey; direction: 'asc' | 'desc' }[]
  marker: string | undefined
  limit: number
}

type Builder = ExpressionBuilder<ImageTables, 'images'>

/** One page of images, in the wanted order. */
export async function listImages(db: ImageDb, query: ImageQuery): Promise<Image[]> {
  const sort = withTieBreakers(query.sort)
  const marker = query.marker === undefined ? undefined : await getMarker(db, query.marker)
  let select = db
    .selectFrom('images')
    .selectAll('images')
    .where('images.deleted', '=', 0)
    .where((eb) => eb.and(conditions(eb, query)))
  if (marker !== undefined) select = select.where((eb) => after(eb, sort, marker))
  for (const { key, direction } of sort) select = select.orderBy(ordered(key), direction)
  return withDetails(db, await select.limit(query.limit).execute())
}

function conditions(eb: Builder, query: ImageQuery): Expression<SqlBool>[] {
  return [
    ...visibleTo(eb, query),
    ...query.oneOf.map(({ column, values }) => eb(`images.${column}`, 'in', values)),
    ...query.ranges.map(({ column, is, value }) => eb(`images.${column}`, is, value)),
    ...query.times.map(({ column, is, second }) =>
      eb(sql<string>`substr(${sql.ref(`images.${column}`)}, 1, 19)`, is, second),
    ),
    ...query.tags.map((tag) =>
      eb.exists(
        eb
          .selectFrom('image_tags')
          .select('image_tags.id')
          .whereRef('image_tags.image_id', '=', 'images.id')
          .where('image_tags.value', '=', tag),
      ),
    ),
    ...Object.entries(query.properties).map(([name, value]) =>
      eb.exists(
        eb
          .selectFrom('image_properties')
          .select('image_properties.id')
          .whereRef('image_properties.image_id', '=', 'images.id')
          .where('image_properties.name', '=', name)
          .where('image_properties.value', '=', value),
      ),
    ),
  ]
}

function visibleTo(eb: Builder, query: ImageQuery): Expression<SqlBool>[] {
  const { viewer, visibility, memberStatus } = query
  const { projectId } = viewer
  const found: Expression<SqlBool>[] = []
  if (!viewer.isAdmin) {
    const ways: Expression<SqlBool>[] = [eb('images.visibility', 'in', ['public', 'community'])]
    if (projectId !== null) {
      let member = eb
        .selectFrom('image_members')
        .select('image_members.id')
        .whereRef('image_members.image_id', '=', 'images.id')
        .where('image_members.member', '=', projectId)
      if (memberStatus !== 'all') member = member.where('image_members.status', '=', memberStatus)
      ways.push(eb('images.owner', '=', projectId))
      ways.push(eb.and([eb('images.visibility', '=', 'shared'), eb.exists(member)]))
    }
    found.push(eb.or(ways))
  }
  if (visibility === undefined) {
    const ways: Expression<SqlBool>[] = [eb('images.visibility', '!=', 'community')]
    if (projectId !== null) ways.push(eb('images.owner', '=', projectId))
    found.push(eb.or(ways))
  } else if (visibility !== 'all') found.push(eb('images.visibility', '=', visibility))
  return found
}

// Ties are broken by created_at and id, so that pages neither repeat nor skip.
function withTieBreakers(sort: ImageQuery['sort']): ImageQuery['sort'] {
  const direction = sort[0]?.direction ?? 'desc'
  const missing = (['created_at', 'id'] as const).filter((key) => !sort.some((given) => given.key === key))
  return [...sort, ...missing.map((key) => ({ key, direction }))]
}

// A null sorts as the smallest value on every dialect, and can be compared with a marker's.
const ordered = (key: SortKey): RawBuilder<string | number> =>
  key === 'size'
    ? sql<number>`coalesce(${sql.ref(`images.${key}`)}, -1)`
    : sql<string>`coalesce(${sql.ref(`images.${key}`)}, '')`

const valueIn = (row: ImageRow, key: SortKey): string | number => row[key] ?? (key === 'size' ? -1 : '')

function after(eb: Builder, sort: ImageQuery['sort'], marker: ImageRow): Expression<SqlBool> {
  return eb.or(
    sort.map(({ key, direction }, index) =>
      eb.and([
        ...sort.slice(0, index).map((equal) => eb(ordered(equal.key), '=', valueIn(marker, equal.key))),
        eb(ordered(key), direction === 'asc' ? '>' : '<', valueIn(marker, key)),
      ]),
    ),
  )
}

async function getMarker(db: ImageDb, id: string): Promise<ImageRow> {
  const row = await db
    .selectFrom('images')
    .selectAll()
    .where('id', '=', id)
    .where('deleted', '=', 0)
    .executeTakeFirst()
  if (row === undefined) throw new Fault('invalid', `No image found with ID ${id}`, { marker: id })
  return row
}
