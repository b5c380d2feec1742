/** Makes the changes that findings offer, and shows what they change. */
import type { ConfigFile } from '../../../base/config/sources.ts'
import type { Edit, Finding } from './finding.ts'

export interface FixedFile extends ConfigFile {
  /** As a unified difference, without its secrets. */
  difference: string
}

/** The files that change, changed. Of two changes of one line the first is made; the other is found again next time. */
export function fixFiles(
  files: readonly ConfigFile[],
  findings: readonly Finding[],
  show: (line: string) => string,
): FixedFile[] {
  return files.flatMap(({ path, content }) => {
    const edits = findings.flatMap((finding) => (finding.path === path && finding.edit ? [finding.edit] : []))
    if (edits.length === 0) return []
    const before = content.replace(/\n$/, '').split('\n')
    const change = changeOf(before, edits)
    const after = [...change.lines.flat(), ...change.appended]
    return [{ path, content: `${after.join('\n')}\n`, difference: difference(path, before, change, show) }]
  })
}

interface Change {
  /** For each line of before what stands in its place. */
  lines: readonly string[][]
  appended: readonly string[]
}

function changeOf(before: readonly string[], edits: readonly Edit[]): Change {
  const lines = before.map((line) => [line])
  const taken = new Set<number>()
  const take = (first: number, last: number): boolean => {
    const wanted = Array.from({ length: last - first + 1 }, (_, index) => first + index)
    if (wanted.some((line) => taken.has(line))) return false
    for (const line of wanted) taken.add(line)
    return true
  }
  const moved = new Map<string, string[]>()
  for (const edit of edits) {
    if (edit.kind === 'replace') {
      if (!take(edit.line, edit.line)) continue
      const line = before[edit.line - 1]!
      const [head, tail] = [line.slice(0, edit.column - 1), line.slice(edit.column - 1 + edit.length)]
      lines[edit.line - 1] = [`${head}${edit.text}${tail}`.trimEnd()]
    } else if (take(edit.first, edit.last)) {
      for (let line = edit.first; line <= edit.last; line++) {
        lines[line - 1] = edit.kind === 'move' ? [] : [`# ${before[line - 1]!}`]
      }
      if (edit.kind === 'move') moved.set(edit.section, [...(moved.get(edit.section) ?? []), ...edit.lines])
    }
  }
  const appended: string[] = []
  for (const [section, added] of moved) {
    const at = before.findIndex((line) => line.trim() === `[${section}]`)
    if (at === -1) appended.push('', `[${section}]`, ...added)
    else lines[at] = [...lines[at]!, ...added]
  }
  return { lines, appended }
}

/** Unchanged lines that are shown around each change. */
const context = 2

function difference(
  path: string,
  before: readonly string[],
  { lines, appended }: Change,
  show: (line: string) => string,
): string {
  const isChanged = (index: number) =>
    (index === before.length && appended.length > 0) ||
    (index < before.length && (lines[index]!.length !== 1 || lines[index]![0] !== before[index]))
  const isNear = (index: number) =>
    Array.from({ length: 2 * context + 1 }, (_, step) => index - context + step).some(
      (one) => one >= 0 && isChanged(one),
    )
  const output = [`--- ${path}`, `+++ ${path} (put right)`]
  for (const [index, old] of before.entries()) {
    if (!isNear(index)) continue
    if (!isNear(index - 1) || index === 0) output.push(`@@ line ${index + 1} @@`)
    const now = lines[index]!
    const isKept = now[0] === old
    output.push(`${isKept ? ' ' : '-'}${show(old)}`)
    output.push(...now.slice(isKept ? 1 : 0).map((line) => `+${show(line)}`))
  }
  return [...output, ...appended.map((line) => `+${show(line)}`)].join('\n')
}
