/** A resource described once: the schemas of any microversion, and how its view looked in older ones. */
import { type TObject, type TSchema, Type } from 'typebox'
import { type Microversion, parseVersion } from './microversion.ts'

export type FieldUse = 'view' | 'create' | 'update' | 'filter' | 'sort'

export interface Field {
  /** A function where what the field takes changed with a microversion. */
  schema: TSchema | ((version: Microversion) => TSchema)
  /** Where the field appears; only in views unless given. */
  in?: readonly FieldUse[]
  /** Must be there in a `create` body, or must be since this microversion. */
  required?: boolean | string
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
    const schema = typeof field.schema === 'function' ? field.schema(version) : field.schema
    properties[name] = use === 'create' && isRequired(field, version) ? schema : Type.Optional(schema)
  }
  return Type.Object(properties, { additionalProperties: false })
}

const isRequired = ({ required }: Field, version: Microversion): boolean =>
  typeof required === 'string' ? parseVersion(required) <= version : required === true

// Thousands of views are lowered to the same few versions.
const hidden = new WeakMap<Fields, Map<Microversion, ReadonlySet<string>>>()

function hiddenAt(fields: Fields, version: Microversion): ReadonlySet<string> {
  const byVersion = hidden.get(fields) ?? new Map<Microversion, ReadonlySet<string>>()
  hidden.set(fields, byVersion)
  let names = byVersion.get(version)
  if (names === undefined) {
    // A view never has the others: without them, most views need no copy at the newest versions.
    const shown = Object.keys(fields).filter((name) => (fields[name]!.in ?? ['view']).includes('view'))
    names = new Set(shown.filter((name) => !alive(fields[name]!, version)))
    byVersion.set(version, names)
  }
  return names
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
  const names = hiddenAt(fields, version)
  if (names.size === 0) return lowered
  const kept: Record<string, unknown> = {}
  for (const name in lowered) if (!names.has(name)) kept[name] = lowered[name]
  return kept as View
}
