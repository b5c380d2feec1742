/**
 * oslo.config's files, read as its own parser reads them: `[section]`, `name = value` or `name: value`, an indented line
 * goes on with the value above it, `#` and `;` in the first column begin comments. What it would refuse is kept as a
 * problem, so that a check can tell all of them; loading throws the first.
 */

/** One setting as it stands in a file. */
export interface Setting {
  group: string
  name: string
  value: string
  /** `/etc/nova/nova.conf:12`, `command line`, or an environment variable. */
  where: string
  /** Of the name; lines and columns count from 1, and are 0 for what stands in no file. */
  line: number
  column: number
  valueColumn: number
  /** Where the value ends: the same line, unless indented lines go on with it. */
  lastLine: number
}

export interface Section {
  name: string
  line: number
}

/** Something that OpenStack's parser stops at. */
export interface Problem {
  line: number
  column: number
  what: string
}

export interface IniFile {
  path: string
  /** In the order of the file; one that is given twice is there twice. */
  settings: Setting[]
  sections: Section[]
  problems: Problem[]
}

export function parseIni(path: string, content: string): IniFile {
  const file: IniFile = { path, settings: [], sections: [], problems: [] }
  let group: string | undefined
  let open: Setting | undefined
  const problem = (line: number, column: number, what: string) => file.problems.push({ line, column, what })
  for (const [index, raw] of content.split(/\r?\n/).entries()) {
    const line = index + 1
    const text = raw.trimEnd()
    if (/^[ \t]/.test(text)) {
      if (open === undefined) {
        problem(
          line,
          text.search(/\S/) + 1,
          'an indented line goes on with a value, but none stands before it',
        )
      } else {
        open.value += `\n${text.trim()}`
        open.lastLine = line
      }
      continue
    }
    open = undefined
    if (text === '' || text.startsWith('#') || text.startsWith(';')) continue
    if (text.startsWith('[')) {
      if (!text.endsWith(']') || text.length < 3) {
        problem(line, 1, `'${text}' is no section; write [name]`)
        continue
      }
      group = text.slice(1, -1)
      file.sections.push({ name: group, line })
      continue
    }
    open = settingOf(path, line, text)
    if (open === undefined) {
      problem(line, 1, `'${text}' is neither a [section] nor name = value`)
    } else if (group === undefined) {
      problem(line, 1, `${open.name} stands before any section; write [DEFAULT] above it`)
      open.group = 'DEFAULT'
    } else {
      open.group = group
    }
    if (open !== undefined) file.settings.push(open)
  }
  return file
}

/** As it stands in a file: the first line of a value loses the quotes around it, lines that go on keep theirs. */
function settingOf(path: string, line: number, text: string): Setting | undefined {
  const at = text.search(/[=:]/)
  if (at <= 0) return undefined
  const rest = text.slice(at + 1)
  const value = rest.trim()
  const isQuoted = /^["']/.test(value) && value[0] === value.at(-1)
  return {
    group: 'DEFAULT',
    name: text.slice(0, at).trim(),
    value: isQuoted ? value.slice(1, -1) : value,
    where: `${path}:${line}`,
    line,
    column: 1,
    valueColumn: at + 2 + rest.length - rest.trimStart().length,
    lastLine: line,
  }
}
