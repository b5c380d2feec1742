/** Findings for people: the line they are about, what is marked in it, why it matters and what to do. */
import { styleText } from 'node:util'
import type { ConfigFile } from '../../../base/config/sources.ts'
import type { Finding, Severity } from './finding.ts'

interface RenderOptions {
  color: boolean
  /** Columns of the terminal. */
  width: number
}

const colors = { error: 'red', warning: 'yellow', note: 'cyan' } as const

export function renderFindings(
  findings: readonly Finding[],
  files: readonly ConfigFile[],
  options: RenderOptions,
): string {
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    options.color ? styleText(format, text, { validateStream: false }) : text
  const lines = new Map(files.map(({ path, content }) => [path, content.split(/\r?\n/)]))
  // These need nothing done: their names are enough, together.
  const isListed = ({ rule, severity }: Finding) =>
    severity === 'note' && (rule === 'no-effect' || rule === 'removed-option')
  const shown = findings.filter((finding) => !isListed(finding))
  const parts = shown
    .filter(({ severity }) => severity !== 'note')
    .map((finding) => renderFinding(finding, lines.get(finding.path) ?? [], options, style))
  const notes = Map.groupBy(
    shown.filter(({ severity }) => severity === 'note'),
    ({ rule, why }) => `${rule} ${why}`,
  )
  for (const same of notes.values()) parts.push(renderNotes(same, options, style))
  for (const { path } of files) {
    const names = findings
      .filter((one) => one.path === path && isListed(one))
      .map(nameIn(lines.get(path) ?? []))
    if (names.length === 0) continue
    const text = wrapped(names.join(', '), options.width - 2).map((line) => `  ${line}`)
    parts.push([style('bold', `${path}: accepted, without an effect here`), ...text].join('\n'))
  }
  return [...parts, summary(findings, files, style)].join('\n\n')
}

/** Several notes of one kind: where each is, and once what it means. */
function renderNotes(notes: readonly Finding[], options: RenderOptions, style: Style): string {
  const [first] = notes
  const places = notes.map(({ path, line, column }) => `${path}:${line}:${column}`)
  const width = Math.max(...places.map((place) => place.length))
  const fixes = new Set(notes.map(({ fix }) => fix))
  return [
    `${style(['bold', colors.note], 'note')}  ${style('dim', first!.rule)}`,
    ...notes.map(({ what }, index) => `  ${style('bold', places[index]!.padEnd(width))}  ${what}`),
    ...labelled('why', first!.why, options, style),
    ...(fixes.size === 1 ? labelled('fix', first!.fix, options, style) : []),
  ].join('\n')
}

type Style = (format: Parameters<typeof styleText>[0], text: string) => string

function renderFinding(
  finding: Finding,
  lines: readonly string[],
  options: RenderOptions,
  style: Style,
): string {
  const { severity, path, line, column } = finding
  const head = `${style(['bold', colors[severity]], severity)}  ${style('bold', `${path}:${line}:${column}`)}  ${style('dim', finding.rule)}`
  const number = String(line)
  const text = masked(lines[line - 1] ?? '')
  const margin = ' '.repeat(number.length)
  const length = Math.max(1, Math.min(finding.length, text.length - column + 1))
  const mark = style(colors[severity], '~'.repeat(length))
  const source = [
    `  ${style('dim', `${number} │`)} ${text}`,
    `  ${style('dim', `${margin} │`)} ${' '.repeat(column - 1)}${mark}`,
  ]
  return [
    head,
    ...wrapped(finding.what, options.width - 2).map((part) => `  ${style('bold', part)}`),
    ...(text.trim() === '' ? [] : source),
    ...labelled('why', finding.why, options, style),
    ...labelled('fix', finding.fix, options, style),
  ].join('\n')
}

function labelled(label: string, what: string, options: RenderOptions, style: Style): string[] {
  return wrapped(what, options.width - 7).map((part, index) =>
    index === 0 ? `  ${style('dim', label.padEnd(4))} ${part}` : `       ${part}`,
  )
}

/** A line without its secrets, as wide as it was. */
export function masked(line: string): string {
  const stars = (secret: string) => '*'.repeat(secret.length)
  return line
    .replace(
      /(:\/\/[^:@/\s]*:)([^@/\s]+)(?=@)/g,
      (_all, before: string, secret: string) => before + stars(secret),
    )
    .replace(
      /^(\s*[\w-]*(?:password|secret|secret_key|token|passcode)\s*[=:]\s*)(\S.*)$/,
      (_all, before: string, secret: string) => before + stars(secret),
    )
}

const nameIn =
  (lines: readonly string[]) =>
  ({ line }: Finding): string =>
    `${(lines[line - 1] ?? '').split(/[=:]/)[0]!.trim()} (${line})`

function summary(findings: readonly Finding[], files: readonly ConfigFile[], style: Style): string {
  const where = files.length === 1 ? 'in one file' : `in ${files.length} files`
  if (findings.length === 0) return `${style('green', 'Nothing to say')} ${where}.`
  const counts = (['error', 'warning', 'note'] as const).map((severity) => count(findings, severity, style))
  const fixable = findings.filter(({ edit }) => edit !== undefined).length
  const hint = fixable === 0 ? '' : ` ${fixable} can be put right with --fix.`
  return `${counts.filter((text) => text !== '').join(', ')} ${where}.${hint}`
}

function count(findings: readonly Finding[], severity: Severity, style: Style): string {
  const found = findings.filter((one) => one.severity === severity).length
  return found === 0 ? '' : style(colors[severity], `${found} ${severity}${found === 1 ? '' : 's'}`)
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > Math.max(20, width)) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
