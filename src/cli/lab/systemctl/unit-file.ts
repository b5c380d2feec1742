/** Reads systemd's unit files (systemd.syntax(7)): sections, options that may repeat, continuation lines, quoting. */
import { Fault } from '../../../base/errors.ts'

export interface UnitFile {
  /** Values of an option in the order given; an empty value takes back those before it. */
  all(section: string, option: string): readonly string[]
  /** The last value of an option. */
  last(section: string, option: string): string | undefined
}

export function parseUnitFile(text: string): UnitFile {
  const values = new Map<string, string[]>()
  let section = ''
  // A backslash at the end of a line joins the next one to it with a blank.
  for (const raw of text.replaceAll(/\\\n/g, ' ').split('\n')) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    if (line.startsWith('[') && line.endsWith(']')) {
      section = line.slice(1, -1)
      continue
    }
    const at = line.indexOf('=')
    if (at < 0) continue
    const key = `${section}.${line.slice(0, at).trim()}`
    const value = line.slice(at + 1).trim()
    values.set(key, value === '' ? [] : [...(values.get(key) ?? []), value])
  }
  const all = (section: string, option: string) => values.get(`${section}.${option}`) ?? []
  return { all, last: (section, option) => all(section, option).at(-1) }
}

/** Words of a command line or of `Environment=`: separated by blanks, kept together by quotes. */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let index = 0; index < line.length; index++) {
    const character = line[index] ?? ''
    if (character === '\\' && quote !== "'" && index + 1 < line.length) {
      word = (word ?? '') + (line[++index] ?? '')
    } else if (quote !== '') {
      if (character === quote) quote = ''
      else word = (word ?? '') + character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + character
    }
  }
  if (quote !== '') throw new Fault('invalid', `A quote is not closed: ${line}`)
  if (word !== undefined) words.push(word)
  return words
}

export interface Command {
  argv: readonly string[]
  /** `-`: a failure is no failure. */
  mayFail: boolean
  /** `+` or `!`: as root even where the unit has a user. */
  asRoot: boolean
}

/** A value of `Exec…=` with its prefixes, specifiers and variables (systemd.service(5), "Command lines"). */
export function parseCommand(
  line: string,
  unit: string,
  environment: Readonly<Record<string, string>>,
): Command {
  const prefix = /^[-+!@:|]*/.exec(line)?.[0] ?? ''
  const name = unit.replace(/\.service$/, '')
  const argv = splitWords(line.slice(prefix.length)).flatMap((word) => {
    const filled = word.replaceAll(/%[nNp%]/g, (sign) => ({ '%n': unit, '%%': '%' })[sign] ?? name)
    // A variable that is a word by itself is split into words; within one it is not.
    const whole = /^\$(\w+)$/.exec(filled)?.[1]
    if (whole !== undefined) return splitWords(environment[whole] ?? '')
    const put = (text: string, variable: string | undefined) =>
      text === '$$' ? '$' : (environment[variable ?? ''] ?? '')
    return [filled.replaceAll(/\$\$|\$\{(\w+)\}/g, put)]
  })
  return { argv, mayFail: prefix.includes('-'), asRoot: /[+!]/.test(prefix) }
}

/** Seconds of a time span: `5`, `5s`, `500ms`, `1min 30s`, `infinity`. */
export function parseSeconds(text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  const units: Record<string, number> = { ms: 0.001, s: 1, sec: 1, m: 60, min: 60, h: 3600, '': 1 }
  return [...text.matchAll(/([\d.]+)\s*([a-z]*)/g)]
    .map(([, number, unit]) => Number(number) * (units[unit ?? ''] ?? 1))
    .reduce((sum, part) => sum + part, 0)
}
