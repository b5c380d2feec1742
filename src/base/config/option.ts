/** An option as data: the same table parses, documents and checks what operators write. */

/** Reads one value; throws an Error that says what is wrong with it. */
export interface OptionType<T> {
  readonly name: string
  parse(text: string): T
  /** Every time the option is given counts, not only the last: `parse` is called for each. */
  readonly multiple?: boolean
  /** All values that there are, where they are few. */
  readonly choices?: readonly string[]
}

export interface Option<T = unknown> {
  /** DEFAULT unless given. */
  readonly group?: string
  readonly name: string
  readonly type: OptionType<T>
  /** A text is read and interpolated as if it stood in a file. */
  readonly default: T | string
  /** In documents, in place of a default that is different on each host. */
  readonly defaultText?: string
  readonly help: string
  /** Earlier names, `name` or `group.name`: read with a warning. */
  readonly deprecated?: readonly string[]
  /** Never shown or logged. */
  readonly secret?: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds options of every type.
export type Options = Readonly<Record<string, Option<any>>>

export type Config<O extends Options> = {
  readonly [K in keyof O]: O[K]['type'] extends OptionType<infer T> ? T : never
}

const type = <T>(name: string, parse: (text: string) => T): OptionType<T> => ({ name, parse })

export const text: OptionType<string> = type('string', (value) => value)

export const bool: OptionType<boolean> = type('boolean', (value) => {
  const word = value.toLowerCase()
  if (['true', '1', 'on', 'yes'].includes(word)) return true
  if (['false', '0', 'off', 'no'].includes(word)) return false
  throw new Error('is neither true nor false')
})

export function int(limits: { min?: number; max?: number } = {}): OptionType<number> {
  return type('integer', (value) =>
    inLimits(/^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN, 'whole ', limits),
  )
}

export function float(limits: { min?: number; max?: number } = {}): OptionType<number> {
  return type('float', (value) =>
    inLimits(/^[+-]?[\d.]+(e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN, '', limits),
  )
}

export const port: OptionType<number> = int({ min: 0, max: 65_535 })

export function choice<const C extends string>(...choices: readonly C[]): OptionType<C> {
  const parse = (value: string) => {
    if (!choices.includes(value as C)) throw new Error(`is none of ${choices.join(', ')}`)
    return value as C
  }
  return { name: 'choice', parse, choices }
}

/** A choice that may be written in capitals or not. */
export function choiceInAnyCase<const C extends string>(...choices: readonly C[]): OptionType<C> {
  const exact = choice(...choices)
  const meant = (value: string) => choices.find((one) => one.toLowerCase() === value.toLowerCase())
  return type('choice', (value) => exact.parse(meant(value) ?? value))
}

/** Values with commas between them; one that holds commas itself is put together again, as oslo.config does. */
export function list<T = string>(
  of: OptionType<T> = text as unknown as OptionType<T>,
): OptionType<readonly T[]> {
  const parse = (value: string) => items(value.replace(/,+$/, ''), (item) => of.parse(item))
  return { ...of, name: `list of ${of.name}`, parse }
}

/** `key:value` with commas between them. */
export const dict: OptionType<Readonly<Record<string, string>>> = type('dict', (value) => {
  const pairs = items(value, (item) => {
    const at = item.indexOf(':')
    if (at === -1) throw new Error(`has '${item}', which is not of the form key:value`)
    const key = item.slice(0, at).trim()
    if (key === '') throw new Error(`has '${item}', whose key is empty`)
    return [key, item.slice(at + 1).trim()] as const
  })
  const twice = pairs.find(([key], index) => pairs.findIndex(([other]) => other === key) !== index)
  if (twice !== undefined) throw new Error(`has ${twice[0]} twice`)
  return Object.fromEntries(pairs)
})

/** An option that may be given many times, such as `pci.alias`. */
export function multi<T = string>(
  of: OptionType<T> = text as unknown as OptionType<T>,
): OptionType<readonly T[]> {
  return { name: `multi ${of.name}`, parse: (value) => [of.parse(value)], multiple: true }
}

/** An option that may be left empty or out. */
export function optional<T>(of: OptionType<T>): OptionType<T | null> {
  return { ...of, parse: (value) => (value === '' ? null : of.parse(value)) }
}

// A part that does not fit is taken together with the next, until it fits or nothing is left.
function items<T>(value: string, parse: (item: string) => T): T[] {
  if (value.trim() === '') return []
  const parts = value.split(',')
  const found: T[] = []
  for (let from = 0; from < parts.length; ) {
    let error: unknown
    let to = from + 1
    for (; to <= parts.length; to++) {
      try {
        found.push(parse(parts.slice(from, to).join(',').trim()))
        error = undefined
        break
      } catch (reason) {
        error ??= reason
      }
    }
    if (error !== undefined) throw error
    from = to
  }
  return found
}

function inLimits(value: number, kind: string, { min, max }: { min?: number; max?: number }): number {
  if (!Number.isFinite(value)) throw new Error(`is no ${kind}number`)
  if (min !== undefined && value < min) throw new Error(`is less than ${min}`)
  if (max !== undefined && value > max) throw new Error(`is more than ${max}`)
  return value
}
