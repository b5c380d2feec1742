/** Tables as OpenStack's management commands print them (PrettyTable's layout): scripts read them. */

export interface PrettyTableOptions {
  align?: 'left' | 'center'
  /** A rule after every row, not only after the heading. */
  ruled?: boolean
}

/** Lines of a table; a cell may hold several lines. Center is the default, as PrettyTable's. */
export function prettyTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  options: PrettyTableOptions = {},
): string {
  const all = [headings, ...rows].map((row) => row.map((cell) => cell.split('\n')))
  const widths = headings.map((_, column) =>
    Math.max(...all.flatMap((row) => row[column]!.map((line) => line.length))),
  )
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`
  const place = options.align === 'left' ? left : center
  const lines = (row: readonly string[][]): string[] => {
    const height = Math.max(...row.map((cell) => cell.length))
    return Array.from(
      { length: height },
      (_, at) => `|${row.map((cell, column) => ` ${place(cell[at] ?? '', widths[column]!)} `).join('|')}|`,
    )
  }
  const body = all.slice(1).map(lines)
  const shown = options.ruled === true ? body.flatMap((row) => [...row, rule]) : [...body.flat(), rule]
  return [rule, ...lines(all[0]!), rule, ...shown].join('\n')
}

const left = (text: string, width: number): string => text.padEnd(width)

// Where the room is odd, a text of odd length stands nearer to the left and one of even length nearer to the right.
function center(text: string, width: number): string {
  const room = width - text.length
  const before = Math.floor(room / 2) + (room % 2 === 1 && text.length % 2 === 0 ? 1 : 0)
  return `${' '.repeat(before)}${text}`.padEnd(width)
}

/** Breaks text into lines of at most `width` characters between words; all but the first begin with `indent`. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const longer = line === '' || line === indent ? `${line}${word}` : `${line} ${word}`
    if (longer.length <= width || line === '' || line === indent) {
      line = longer
      continue
    }
    lines.push(line)
    line = `${indent}${word}`
  }
  return line === '' ? lines : [...lines, line]
}
