/** How a resource's attributes are described: what may be sent, what it must look like, what it is when absent. */

/** Undefined when the value is fine, else why not. */
export type Check = (value: unknown) => string | undefined

export interface Attribute {
  /** May be in the body of a create, of an update. */
  post?: boolean
  put?: boolean
  /** Must be in the body of a create. */
  required?: boolean
  /** What an absent one becomes on create; without it, and not required, it stays undefined: not specified. */
  default?: unknown
  /** Before the check: `'true'` becomes true. Throws the fault for what can't be. */
  convert?: (value: unknown) => unknown
  check?: Check
  /** Never shown. */
  hidden?: boolean
  /** Can be filtered by. */
  filter?: boolean
  /** Can be sorted by; also its column. */
  sort?: boolean
  /** Sending another value than the default needs the rule `create_<resource>:<attribute>` (or `update_`). */
  policy?: boolean
  /** The extension that brings it; without that extension it is not there. */
  extension?: string
}

export type Attributes = Readonly<Record<string, Attribute>>

export type Values = Record<string, unknown>

/** Those attributes whose extensions are there. */
export function withExtensions(attributes: Attributes, aliases: ReadonlySet<string>): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      ([, attribute]) => attribute.extension === undefined || aliases.has(attribute.extension),
    ),
  )
}
