/** What oslo.config's parser stops at, and characters that a web page or a word processor put in place of plain ones. */
import type { Finding } from '../finding.ts'
import type { LintFile, Rule } from '../rule.ts'

export const syntax: Rule = ({ files }) => files.flatMap((file) => [...problems(file), ...typography(file)])

function problems(file: LintFile): Finding[] {
  return file.ini.problems.map(({ line, column, what }) => ({
    rule: 'syntax',
    severity: 'error',
    path: file.path,
    line,
    column,
    length: Math.max(1, (file.lines[line - 1] ?? '').trim().length),
    what: `${what[0]!.toUpperCase()}${what.slice(1)}.`,
    why: 'OpenStack reads nothing of a file that it cannot parse: the program does not start.',
    fix: file.lines[line - 1]?.trim().startsWith('#')
      ? 'Begin the comment in the first column.'
      : 'Put this line right, or make it a comment with # in the first column.',
  }))
}

const plain: Readonly<Record<string, string>> = {
  '‘': "'",
  '’': "'",
  '‚': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
  '–': '-',
  '—': '-',
  '−': '-',
  '…': '...',
  '\u00a0': ' ',
  '\u3000': ' ',
  '\u200b': '',
  '\ufeff': '',
  '，': ',',
  '：': ':',
  '；': ';',
  '＝': '=',
  '［': '[',
  '］': ']',
  '／': '/',
  '。': '.',
}
const typeset = new RegExp(`[${Object.keys(plain).join('')}]`, 'gu')

function typography(file: LintFile): Finding[] {
  return file.lines.flatMap((text, index) => {
    if (/^[#;]/.test(text)) return []
    // In a comment that follows a value they do no harm of their own.
    const spoken = text.replace(/\s(\/\/|#).*$/, '')
    const found = [...spoken.matchAll(typeset)]
    if (found.length === 0) return []
    const [first] = found
    const marks = [...new Set(found.map(([mark]) => mark))].map(named).join(', ')
    return {
      rule: 'typography',
      severity: 'error' as const,
      path: file.path,
      line: index + 1,
      column: first!.index + 1,
      length: 1,
      what: `Typographic characters stand here: ${marks}.`,
      why: 'They came with pasted text. OpenStack takes them as part of the name or value, not as what they look like.',
      fix: `Write ${spoken.replace(typeset, (mark) => plain[mark]!).trim()}`,
      edit: {
        kind: 'replace' as const,
        line: index + 1,
        column: 1,
        length: spoken.length,
        text: spoken.replace(typeset, (mark) => plain[mark]!),
      },
    }
  })
}

const named = (mark: string): string =>
  /\p{Z}|\p{C}/u.test(mark) ? `U+${mark.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}` : mark
