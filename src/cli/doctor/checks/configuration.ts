/** What `kilonova config lint` says of the files, with what is wrong in them as failures here. */
import { readConfigFile } from '../../../base/config/sources.ts'
import { hostFacts, lintFiles } from '../../config/lint/lint-files.ts'
import { type Check, type Finding, ok } from '../finding.ts'
import type { ProgramHere } from '../programs-here.ts'

export function configurationChecks(programs: readonly ProgramHere[]): Check[] {
  const paths = [...new Set(programs.flatMap(({ files }) => files))]
  const run = async (): Promise<Finding[]> => {
    const found = lintFiles(paths.map(readConfigFile), { host: hostFacts() }).filter(
      ({ severity }) => severity !== 'note',
    )
    if (found.length === 0) return [ok('configuration files', `nothing to say of ${paths.join(', ')}`)]
    return found.map(({ severity, path, line, what, why, fix }) => ({
      subject: `${path}:${line}`,
      result: severity === 'error' ? 'failure' : 'warning',
      detail: [what, why].filter((text) => text !== '').join(' '),
      fix,
    }))
  }
  return [{ about: 'configuration files', run }]
}
