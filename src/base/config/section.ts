/** A table of options that stands in several sections: `[neutron]`, `[placement]` and `[glance]` all name a user. */
import type { Config, Options } from './option.ts'

/** The options under keys with a prefix: `authUrl` in the section `neutron` is `neutronAuthUrl`. */
export type InSection<P extends string, O extends Options> = {
  readonly [K in keyof O & string as `${P}${Capitalize<K>}`]: O[K]
}

/** The table for one section; `also` gives the earlier names that an option has in this section only. */
export function inSection<const P extends string, const O extends Options>(
  group: string,
  prefix: P,
  options: O,
  also: { readonly [K in keyof O]?: readonly string[] } = {},
): InSection<P, O> {
  const entries = Object.entries(options).map(([key, option]) => {
    const deprecated = [...(option.deprecated ?? []), ...(also[key] ?? [])]
    return [keyOf(prefix, key), { ...option, group, ...(deprecated.length === 0 ? {} : { deprecated }) }]
  })
  return Object.fromEntries(entries) as InSection<P, O>
}

/** What was read of one section, under the keys of the table without the prefix. */
export function sectionOf<const P extends string, const O extends Options>(
  config: Config<InSection<P, O>>,
  prefix: P,
  options: O,
): Config<O> {
  const read: Readonly<Record<string, unknown>> = config
  return Object.fromEntries(Object.keys(options).map((key) => [key, read[keyOf(prefix, key)]])) as Config<O>
}

const keyOf = (prefix: string, key: string): string => `${prefix}${key[0]!.toUpperCase()}${key.slice(1)}`
