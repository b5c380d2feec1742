/** The schemas that compute's bodies and queries share, under nova's rules. */
import { type TObject, type TSchema, Type } from 'typebox'
import type { Microversion } from '../../base/http/microversion.ts'

const printable = '[^\\p{C}\\p{Zl}\\p{Zp}]*'

/** Printable, no space at either end. */
export const Name = Type.Unsafe<string>({
  type: 'string',
  minLength: 1,
  maxLength: 255,
  pattern: `^(?!\\p{Zs})${printable}(?<!\\p{Zs})$`,
})
export const ZoneName = Type.Unsafe<string>({
  type: 'string',
  minLength: 1,
  maxLength: 255,
  pattern: '^(?!\\p{Zs})[^\\p{C}\\p{Zl}\\p{Zp}:]*(?<!\\p{Zs})$',
})
export const Uuid = Type.String({ format: 'uuid' })
export const ProjectId = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9-]*$' })
export const HostName = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9\\-._]*$' })

/** Text over several lines is not; control characters are not. */
export const description = (maxLength: number) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength, pattern: `^${printable}$` })

const trueWords = ['True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes']
const falseWords = ['False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no']

/** A boolean, or a word for one; `isTrue` reads it. */
export const Flag = Type.Unsafe<boolean | string>({
  type: ['boolean', 'string'],
  enum: [true, ...trueWords, false, ...falseWords],
})

export const isTrue = (flag: boolean | string | undefined): boolean =>
  flag === true || (typeof flag === 'string' && /^(true|t|on|yes|y|1)$/i.test(flag.trim()))

/** What a word means, or undefined when it is none of those for true and false. */
export function readFlag(word: string): boolean | undefined {
  if (/^(true|t|on|yes|y|1)$/i.test(word)) return true
  return /^(false|f|off|no|n|0)$/i.test(word) ? false : undefined
}

/** A number, or its digits in a string; `Number()` reads both. */
export const wholeNumber = (minimum: number, maximum = 0x7fffffff) =>
  Type.Unsafe<number | string>({
    type: ['integer', 'string'],
    pattern: minimum > 0 ? '^0*[1-9][0-9]*$' : '^[0-9]+$',
    minLength: 1,
    maxLength: 10,
    minimum,
    maximum,
  })

/** Keys and values of servers' and images' metadata. */
export const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  patternProperties: { '^[a-zA-Z0-9\\-_:. ]{1,255}$': { type: 'string', maxLength: 255 } },
  additionalProperties: false,
})

/** One key of them with its value. */
export const MetadataItem = Type.Unsafe<Record<string, string>>({
  ...Metadata,
  minProperties: 1,
  maxProperties: 1,
})

/** One object under one key, as nearly every body is. */
export const wrapped = (key: string, schema: TSchema, others: Record<string, TSchema> = {}): TObject =>
  Type.Object({ [key]: schema, ...others }, { additionalProperties: false })

/** A query parameter that may be repeated. */
export const many = (item: TSchema): TSchema => Type.Union([item, Type.Array(item)])

export const Digits = Type.String({ pattern: '^[0-9]+$' })
export const AnyText = Type.String()

/** The schema of a query; up to `strictSince` what is not known was let through. */
export function queryOf(
  parameters: Readonly<Record<string, TSchema>>,
  options: { strict: boolean },
): TSchema {
  const properties = Object.fromEntries(
    Object.entries(parameters).map(([name, schema]) => [name, Type.Optional(many(schema))]),
  )
  return Type.Object(properties, { additionalProperties: !options.strict })
}

export const paging = { limit: Digits, marker: AnyText }

/** Builds a schema once for each version that asks. */
export function byVersion(build: (version: Microversion) => TSchema): (version: Microversion) => TSchema {
  const built = new Map<Microversion, TSchema>()
  return (version) => {
    const schema = built.get(version) ?? build(version)
    built.set(version, schema)
    return schema
  }
}
