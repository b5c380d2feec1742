import type { Finding } from './finding.ts'
import type { ProgramHere } from './programs-here.ts'

const marks = { ok: '✔', warning: '!', failure: '✘' } as const

/** What was looked at, each finding with its remedy beneath, and what it comes to. */
export function report(programs: readonly ProgramHere[], findings: readonly Finding[]): string {
  const files = [...new Set(programs.flatMap((program) => program.files))]
  const lines = [
    '',
    ...(programs.length === 0
      ? []
      : [
          `Programs set up here: ${programs.map(({ name }) => name).join(', ')}`,
          `Read: ${files.join(', ')}`,
          '',
        ]),
    ...findings.flatMap((finding) => {
      const line = `${marks[finding.result]} ${finding.subject}: ${finding.detail}`
      return finding.fix === undefined ? [line] : [line, `    → ${finding.fix}`]
    }),
    '',
  ]
  const count = (result: Finding['result']) => findings.filter((finding) => finding.result === result).length
  const failures = count('failure')
  const warnings = count('warning')
  lines.push(
    failures === 0 && warnings === 0
      ? `All ${findings.length} checks are well.`
      : `${findings.length} checks: ${failures} failed, ${warnings} with a warning.`,
  )
  return lines.join('\n')
}
