/** `kilonova doctor`: what is wrong with this host's part of a cloud, and what to do about it. */

import { describeError, Fault } from '../../base/errors.ts'
import { silentLogger } from '../../base/log.ts'
import { hostRun } from '../../linux/run.ts'
import type { ProgramName } from '../config/programs.ts'
import { programs } from '../config/programs.ts'
import { showProgress } from '../terminal/progress.ts'
import { brokerChecks, memcachedChecks } from './checks/brokers.ts'
import { configurationChecks } from './checks/configuration.ts'
import { databaseChecks } from './checks/databases.ts'
import { hostChecks } from './checks/host.ts'
import { kernelSetting, networkChecks } from './checks/network.ts'
import { serviceChecks } from './checks/services.ts'
import { type Check, type Finding, failure } from './finding.ts'
import { type ProgramHere, programsHere } from './programs-here.ts'
import { report } from './report.ts'

export interface DoctorOptions {
  program: readonly string[]
  configFile: readonly string[]
  configDir: readonly string[]
  json?: boolean
  /** Only what networking needs of this host. */
  network?: boolean
}

/** Gives the exit code: 0 when nothing is wrong, 1 when there are failures, 2 when nothing is set up here. */
export async function doctor(options: DoctorOptions): Promise<number> {
  if (options.network === true) return conclude([], await networkFindings(options), options)
  const unknown = options.program.find((name) => !(name in programs))
  if (unknown !== undefined) {
    throw new Fault(
      'invalid',
      `There is no program ${unknown}; there are ${Object.keys(programs).join(', ')}.`,
    )
  }
  const { programs: here, problems } = programsHere({
    names: options.program as ProgramName[],
    configFiles: options.configFile,
    configDirs: options.configDir,
  })
  if (here.length === 0 && problems.length === 0) {
    console.log(
      'No configuration of a program was found on this host (/etc/nova/nova.conf, /etc/neutron/neutron.conf, …). ' +
        'Name files with --config-file and programs with --program; a cloud of one machine is looked at by: kilonova status',
    )
    return 2
  }
  const checks = [
    ...configurationChecks(here),
    ...hostChecks(here),
    ...databaseChecks(here),
    ...brokerChecks(here),
    ...memcachedChecks(here),
    ...serviceChecks(here),
  ]
  const findings = [...problems, ...(await runChecks(checks, options.json === true))]
  return conclude(here, findings, options)
}

/** Prints the findings; gives the exit code. */
function conclude(
  here: readonly ProgramHere[],
  findings: readonly Finding[],
  { json }: DoctorOptions,
): number {
  console.log(json === true ? JSON.stringify(findings, null, 2) : report(here, findings))
  return findings.some(({ result }) => result === 'failure') ? 1 : 0
}

async function networkFindings({ json }: DoctorOptions): Promise<Finding[]> {
  const deps = { run: hostRun(silentLogger), isRoot: process.getuid?.() === 0, setting: kernelSetting }
  return await runChecks(networkChecks(deps), json === true)
}

async function runChecks(checks: readonly Check[], quiet: boolean): Promise<Finding[]> {
  const progress = quiet ? undefined : showProgress()
  const findings: Finding[] = []
  for (const check of checks) {
    progress?.step(check.about)
    try {
      findings.push(...(await check.run()))
    } catch (error) {
      findings.push(
        failure(check.about, describeError(error), 'This check could not be made; mend what it names first.'),
      )
    }
  }
  progress?.done()
  return findings
}
