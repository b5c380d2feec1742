/** The types of fields that many bodies share. Attributes that are not named are allowed, and kept. */
import { type TSchema, Type } from 'typebox'

export const Id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-]+$' })
export const Name = Type.String({ minLength: 1, maxLength: 255, pattern: '[\\S]+' })
export const ShortName = Type.String({ minLength: 1, maxLength: 64, pattern: '[\\S]+' })
export const Text = Type.String()
export const Flag = Type.Boolean()
export const Nullable = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()])

/** The schema of a create body: what is required must be there. */
export function creation(properties: Record<string, TSchema>, required: readonly string[]): TSchema {
  return Type.Unsafe({ type: 'object', properties, required: [...required], additionalProperties: true })
}

/** The schema of an update body: at least one thing to change. */
export function update(properties: Record<string, TSchema>): TSchema {
  return Type.Unsafe({ type: 'object', properties, minProperties: 1, additionalProperties: true })
}
