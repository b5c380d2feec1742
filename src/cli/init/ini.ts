type Section = Readonly<Record<string, string>>
/** Options by section. */
export type Ini = Readonly<Record<string, Section>>

/** One over the other, option by option. */
export function merge(one: Ini, other: Ini): Ini {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return Object.fromEntries([...names].map((name) => [name, { ...one[name], ...other[name] }]))
}

export function iniText(sections: Ini): string {
  const blocks = Object.entries(sections).map(([name, options]) =>
    [`[${name}]`, ...Object.entries(options).map(([key, value]) => `${key} = ${value}`.trimEnd())].join('\n'),
  )
  return `${blocks.join('\n\n')}\n`
}
