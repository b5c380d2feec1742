/** `kilonova config lint`. */
import { chownSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { type ConfigFile, readConfigFile } from '../../base/config/sources.ts'
import type { Finding } from './lint/finding.ts'
import { fixFiles } from './lint/fix.ts'
import { hostFacts, type LintOptions, lintFiles } from './lint/lint-files.ts'
import { masked, renderFindings } from './lint/render.ts'

export interface LintCommand {
  role?: 'compute' | 'controller'
  fix?: boolean
  format: 'text' | 'json'
  /** False for `--no-host`: the files are another host's. */
  host: boolean
}

/** Exit code 0 without errors, 1 with. */
export async function lint(paths: readonly string[], command: LintCommand): Promise<number> {
  const options: LintOptions = {
    ...(command.role === undefined ? {} : { role: command.role }),
    ...(command.host ? { host: hostFacts() } : {}),
  }
  let files = paths.map(readConfigFile)
  let findings = lintFiles(files, options)
  if (command.fix === true) {
    const fixed = fixFiles(files, findings, masked)
    for (const file of fixed) replaceFile(file)
    if (command.format === 'text') for (const { difference } of fixed) console.log(`${difference}\n`)
    files = paths.map(readConfigFile)
    findings = lintFiles(files, options)
  }
  if (command.format === 'json') console.log(JSON.stringify(findings.map(plain), null, 2))
  else {
    const color = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined
    console.log(
      renderFindings(findings, files, { color, width: Math.min(process.stdout.columns || 100, 110) }),
    )
  }
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0
}

const plain = ({ edit, ...finding }: Finding) => ({ ...finding, fixable: edit !== undefined })

// Renamed into place, so that a program that starts meanwhile reads the whole of one of them.
function replaceFile({ path, content }: ConfigFile): void {
  const { mode, uid, gid } = statSync(path)
  const target = realpathSync(path)
  const temporary = `${target}.new`
  writeFileSync(temporary, content, { mode })
  chownSync(temporary, uid, gid)
  renameSync(temporary, target)
}
