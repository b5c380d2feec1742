/** A resource described once: the schemas of any microversion, and how its view looked in older ones. */
import { type TObject, type TSchema, Type } from 'typebox'
import { type Microversion, parseVersion } from './microversion.ts'

export type FieldUse = 'view' | 'create' | 'update' | 'filter' | 'sort'

export interface Field {
  schema: TSchema
  /** Where the field appears; only in views unless given. */
  in?: readonly FieldUse[]
  /** Must be there in a `create` body. */
  required?: boolean
  /** First and last microversion that has the field. */
  since?: string
  until?: string
  /** Networking: the extension that brings the field. */
  extension?: string
}

export type Fields = Readonly<Record<string, Field>>

/** A change that `since` and `until` cannot say: turns a view of `at` into one of the version before. */
export interface Change<View> {
  at: string
  note: string
  down(view: View): View
}

/** Newest first. */
export type History<View> = readonly Change<View>[]

const alive = (field: Field, version: Microversion): boolean =>
  (field.since === undefined || parseVersion(field.since) <= version) &&
  (field.until === undefined || version <= parseVersion(field.until))

/** The schema of a body at a version: exactly the fields it had then, nothing else allowed. */
export function schemaAt(fields: Fields, use: FieldUse, version: Microversion): TObject {
  const properties: Record<string, TSchema> = {}
  for (const [name, field] of Object.entries(fields)) {
    if (!(field.in ?? ['view']).includes(use) || !alive(field, version)) continue
    properties[name] =
      use === 'create' && field.required === true ? field.schema : Type.Optional(field.schema)
  }
  return Type.Object(properties, { additionalProperties: false })
}

/** Lowers a view of the newest version to an older one. */
export function viewAt<View extends Record<string, unknown>>(
  fields: Fields,
  history: History<View>,
  version: Microversion,
  view: View,
): View {
  let lowered = view
  for (const change of history) {
    if (version < parseVersion(change.at)) lowered = change.down(lowered)
  }
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(lowered)) {
    const field = fields[name]
    if (field === undefined || alive(field, version)) kept[name] = value
  }
  return kept as View
}
