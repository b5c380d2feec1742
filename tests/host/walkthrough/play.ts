/** Plays a transcript on a lab, as the one who wrote it typed it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import type { Outcome } from '../../../src/cli/lab/on-host.ts'
import { controllerOf, type HostPlan } from '../../../src/cli/lab/plan.ts'
import { forDatabase } from './database.ts'
import { answer } from './prompts.ts'
import { compareTable, matches } from './table.ts'
import { editIni, parseTranscript, type Step } from './transcript.ts'

/** Addresses in the text; those of the lab take their place. */
const controllerAddress = '173.168.16.224'
const computerAddress = '173.168.16.225'

/** What a table shows may take so long to come true: services report every few seconds. */
const patienceSeconds = 45

export interface Playing {
  lab: Lab
  /** Hosts where `. admin-openrc` was typed. */
  loggedIn: Set<string>
  /** Called before each step: for a test that breaks something on the way. */
  onStep?: (step: Step) => void
}

export const readTranscript = (name: string): Step[] =>
  parseTranscript(readFileSync(join(import.meta.dirname, 'transcripts', `${name}.txt`), 'utf8'))

export async function play(playing: Playing, steps: readonly Step[], name: string): Promise<void> {
  for (const step of steps) {
    playing.onStep?.(step)
    try {
      await playStep(playing, step)
    } catch (error) {
      throw new Error(`${name}.txt:${step.line}: ${(error as Error).message}`, { cause: error })
    }
  }
}

async function playStep(playing: Playing, step: Step): Promise<void> {
  const { lab } = playing
  if (step.kind === 'sql') {
    await forDatabase[lab.plan.database].sql(lab, step.sql)
    return
  }
  // What is done to `computer` is done to every compute host; they are as independent as their authors' hands.
  await Promise.all(
    hostsOf(lab, step.host).map(async (host) => {
      if (step.kind === 'edit') edit(lab, host, step.file, step.text)
      else await typeCommand(playing, host, step)
    }),
  )
}

function hostsOf(lab: Lab, name: string): readonly HostPlan[] {
  if (name === 'computer') return lab.plan.hosts.filter(({ role }) => role === 'compute')
  return lab.plan.hosts.filter((host) => host.name === name)
}

/** Apache serves what it was configured for: identity, and Placement once nova's packages have told it so. */
const inPlaceOfHttpd = (text: string, isPlacementThere: boolean): string =>
  text.replace(
    /\bhttpd\b/,
    isPlacementThere ? 'openstack-keystone openstack-placement-api' : 'openstack-keystone',
  )

const hereOf = (lab: Lab, host: HostPlan, text: string): string =>
  forDatabase[lab.plan.database]
    .url(text)
    .replaceAll(controllerAddress, controllerOf(lab.plan).address)
    .replaceAll(computerAddress, host.address)
    .replaceAll('ens33', lab.plan.providerInterface)

function edit(lab: Lab, host: HostPlan, file: string, given: string): void {
  const path = lab.path(host.name, file.startsWith('/') ? file : join('/root', file))
  const text = hereOf(lab, host, given)
  if (!/\.(?:conf|ini)$/.test(file)) writeFileSync(path, text)
  else writeFileSync(path, editIni(readIfThere(path), text))
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

async function typeCommand(
  playing: Playing,
  host: HostPlan,
  step: Extract<Step, { kind: 'shell' }>,
): Promise<void> {
  const { lab, loggedIn } = playing
  if (step.command === '. admin-openrc') {
    loggedIn.add(host.name)
    return
  }
  const isNovaThere = existsSync(lab.path(host.name, '/etc/nova/nova.conf'))
  const typed = inPlaceOfHttpd(hereOf(lab, host, step.command), isNovaThere)
  const line = forDatabase[lab.plan.database].command(typed)
  const script = loggedIn.has(host.name) ? `. ./admin-openrc\n${line}` : line
  const expects = step.rows.length + step.lines.length > 0
  const deadline = Date.now() + patienceSeconds * 1000
  for (;;) {
    const command = ['bash', '-c', script]
    const outcome =
      step.answers.length > 0
        ? await answer(lab.holder(host.name), command, step.answers)
        : await lab.attempt(host.name, command)
    const complaints = complaintsOf(outcome, step)
    if (complaints.length === 0) return
    // A command that only looks may look again; one that does something is typed once.
    const again = expects && isLook(line) && Date.now() < deadline
    if (!again) throw new Error(`${line}\n${complaints.join('\n')}\n${outcome.stdout}${outcome.stderr}`)
    await sleep(500)
  }
}

const isLook = (command: string): boolean => /\b(?:list|show|check)\b/.test(command)

function complaintsOf({ code, stdout, stderr }: Outcome, step: Extract<Step, { kind: 'shell' }>): string[] {
  if (step.failures.length > 0) {
    if (code === 0) return ['it did not fail']
    return missingFrom(`${stdout}\n${stderr}`, step.failures)
  }
  if (code !== 0) return [`it ended with status ${code}: ${stderr}`]
  return [
    // A warning is said on standard error by a command that works.
    ...missingFrom(`${stdout}\n${stderr}`, step.lines),
    ...(step.rows.length > 0 ? compareTable(stdout, step.rows) : []),
  ]
}

function missingFrom(output: string, patterns: readonly string[]): string[] {
  const lines = output.split('\n').map((line) => line.trim())
  return patterns
    .filter((pattern) => !lines.some((line) => matches(pattern, line)))
    .map((pattern) => `lacks the line ${pattern}`)
}
