/** The column types that every dialect has, by what they hold. */
import type { ColumnDataType, CreateTableBuilder } from 'kysely'

export const columnTypes = {
  /** The row's number, given by the database. */
  number: 'integer',
  int: 'integer',
  big: 'bigint',
  real: 'real',
  /** 0 or 1. */
  flag: 'integer',
  uuid: 'varchar(36)',
  name: 'varchar(255)',
  /** ISO text. */
  time: 'varchar(32)',
  text: 'text',
} as const satisfies Record<string, ColumnDataType>

/** `uuid` for a column that must have a value, `uuid?` for one that may be null. */
export type ColumnType = keyof typeof columnTypes | `${keyof typeof columnTypes}?`

/**
 * Adds columns to a table under construction: `addColumns(builder, { id: 'number', name: 'name', note: 'text?' })`.
 * A column of type `number` becomes the primary key that the database counts up.
 */
export function addColumns<T extends string>(
  builder: CreateTableBuilder<T, string>,
  columns: Readonly<Record<string, ColumnType>>,
): CreateTableBuilder<T, string> {
  let built = builder
  for (const [name, type] of Object.entries(columns)) {
    const nullable = type.endsWith('?')
    const kind = (nullable ? type.slice(0, -1) : type) as keyof typeof columnTypes
    built = built.addColumn(name, columnTypes[kind], (column) => {
      if (kind === 'number') return column.primaryKey().autoIncrement()
      return nullable ? column : column.notNull()
    })
  }
  return built
}
