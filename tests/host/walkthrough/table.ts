/** The tables that OpenStack's commands print, and whether they are the ones that were expected. */

export interface PrintedTable {
  heading: string[]
  rows: string[][]
}

/** The first table of an output. Cells of several lines become one line. */
export function parseTable(output: string): PrintedTable | undefined {
  const lines = output.split('\n').filter((line) => /^[|+]/.test(line))
  const groups: string[][][] = []
  for (const line of lines) {
    if (line.startsWith('+')) groups.push([])
    else groups.at(-1)?.push(cellsOf(line))
  }
  const [head, ...body] = groups.filter((group) => group.length > 0)
  if (head === undefined) return undefined
  const rows: string[][] = []
  for (const group of body) {
    for (const [index, cells] of group.entries()) {
      // Where lines separate the rows, or the first cell is empty, the row before goes on.
      const continues = index > 0 && (body.length > 1 || cells[0] === '')
      const last = rows.at(-1)
      if (continues && last !== undefined) {
        for (const [column, cell] of cells.entries()) last[column] = `${last[column] ?? ''} ${cell}`.trim()
      } else {
        rows.push(cells)
      }
    }
  }
  return { heading: head[0] ?? [], rows }
}

const cellsOf = (line: string): string[] =>
  line
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split('|')
    .map((cell) => cell.trim())

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/** Whether a text is as a pattern says, in which `*` is anything, `\\*` a star and {uuid} a uuid. */
export function matches(pattern: string, text: string): boolean {
  const expression = pattern
    .split(/(\\\*|\*+|\{uuid\})/)
    .map((part) => {
      if (part === '*') return '.*'
      if (part === '{uuid}') return uuid
      if (part === '\\*') return '\\*'
      return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    })
    .join('')
  return new RegExp(`^${expression}$`, 's').test(text)
}

// The order of words within a cell is not promised: endpoints come in any order.
const words = (cell: string): string => cell.split(/\s+/).sort().join(' ')

const rowMatches = (expected: readonly string[], actual: readonly string[]): boolean =>
  expected.length === actual.length &&
  expected.every((pattern, index) => {
    const cell = actual[index] ?? ''
    return matches(pattern, cell) || words(pattern) === words(cell)
  })

/**
 * What of the expected rows an output lacks, or has beyond them; empty when all is well. When the first of them is the
 * table's heading the table must have these rows and no more, else at least these.
 */
export function compareTable(output: string, expected: readonly string[][]): string[] {
  const table = parseTable(output)
  if (table === undefined) return ['there is no table']
  const [first = []] = expected
  const whole = first.length > 1 && first.every((cell, index) => cell === table.heading[index])
  const wanted = whole ? expected.slice(1) : expected.filter((row) => row.join() !== table.heading.join())
  const left = [...table.rows]
  const complaints: string[] = []
  for (const row of wanted) {
    const at = left.findIndex((actual) => rowMatches(row, actual))
    if (at < 0) complaints.push(`lacks | ${row.join(' | ')} |`)
    else left.splice(at, 1)
  }
  if (whole) complaints.push(...left.map((row) => `has besides | ${row.join(' | ')} |`))
  return complaints
}
