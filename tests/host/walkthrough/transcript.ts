/**
 * Reads the transcripts of this folder. They look like the walk-through itself:
 *
 *     ; a remark
 *     MariaDB [(none)]> SQL, as the database's root
 *     [root@HOST DIRECTORY]# command line; `computer` is every compute host
 *     [root@HOST DIRECTORY]# edit FILE
 *         [section]                 four blanks: what the file gets. Of an INI file: the option is set in its section,
 *         option = value            which may come several times; of another: the file's text
 *     < what is typed when the command asks
 *     > a line that the output has, where `*` is anything, `\*` a star and {uuid} a uuid
 *     ! the same, of what a command says that fails: it must
 *     | a row | of the table | that the output has; when the first is the table's heading, it has these rows and no more
 */
export type Step = Readonly<
  { line: number } & (
    | { kind: 'sql'; sql: string }
    | { kind: 'edit'; host: string; file: string; text: string }
    | {
        kind: 'shell'
        host: string
        command: string
        answers: string[]
        lines: string[]
        failures: string[]
        rows: string[][]
      }
  )
>

const prompt = /^\[root@(?<host>\w+) [^\]]*\]# (?<command>.*)$/
const sqlPrompt = /^MariaDB \[[^\]]*\]> (?<sql>.*)$/

export function parseTranscript(text: string): Step[] {
  const steps: Step[] = []
  const rows = text.split('\n')
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] ?? ''
    const line = index + 1
    if (row === '' || row.startsWith(';')) continue
    const sql = sqlPrompt.exec(row)?.groups?.['sql']
    if (sql !== undefined) {
      steps.push({ kind: 'sql', line, sql })
      continue
    }
    const { host, command } = prompt.exec(row)?.groups ?? {}
    if (host === undefined || command === undefined) {
      throw new Error(`line ${line} is no prompt, and belongs to none: ${row}`)
    }
    const following = takeWhile(rows.slice(index + 1), (next) => /^(?: {4}|[<>!|] )/.test(next))
    index += following.length
    if (command.startsWith('edit ')) {
      const text = following.map((next) => next.slice(4)).join('\n')
      steps.push({ kind: 'edit', line, host, file: command.slice('edit '.length), text: `${text}\n` })
      continue
    }
    const marked = (mark: string) =>
      following.filter((next) => next.startsWith(mark)).map((next) => next.slice(2))
    steps.push({
      kind: 'shell',
      line,
      host,
      command,
      answers: marked('<'),
      lines: marked('>'),
      failures: marked('!'),
      rows: marked('|').map((cells) =>
        cells
          .replace(/\|\s*$/, '')
          .split('|')
          .map((cell) => cell.trim()),
      ),
    })
  }
  return steps
}

function takeWhile<T>(items: readonly T[], belongs: (item: T) => boolean): T[] {
  const end = items.findIndex((item) => !belongs(item))
  return items.slice(0, end < 0 ? items.length : end)
}

/** Sets options of INI text, each in its section, which is appended where there is none. */
export function editIni(before: string, changes: string): string {
  const lines = before === '' ? [] : before.trimEnd().split('\n')
  let section = ''
  for (const change of changes.split('\n')) {
    const heading = /^\[(.+)\]$/.exec(change)?.[1]
    if (heading !== undefined) {
      section = heading
      if (!lines.includes(change)) lines.push(...(lines.length > 0 ? ['', change] : [change]))
    } else if (change !== '') {
      lines.splice(endOfSection(lines, section), 0, change)
    }
  }
  return `${lines.join('\n')}\n`
}

/** Where the next option of a section goes: after its last line that is not blank. */
function endOfSection(lines: readonly string[], section: string): number {
  const start = lines.indexOf(`[${section}]`) + 1
  const next = lines.findIndex((line, index) => index >= start && line.startsWith('['))
  let end = next < 0 ? lines.length : next
  while (end > start && lines[end - 1] === '') end--
  return end
}
