/** `nova-status upgrade check` and its siblings: a table of checks, and the worst of them as exit code. */
import { prettyTable, wrap } from './pretty-table.ts'

export type CheckResult =
  | { result: 'Success'; details?: string }
  | { result: 'Warning' | 'Failure'; details: string }

export interface UpgradeCheck<Deps> {
  name: string
  check(deps: Deps): Promise<CheckResult>
}

const codes = { Success: 0, Warning: 1, Failure: 2 } as const

/** Runs the checks one after the other; `text` is the table, or JSON as oslo's upgrade checks write it. */
export async function runUpgradeChecks<Deps>(
  checks: readonly UpgradeCheck<Deps>[],
  deps: Deps,
  options: { json: boolean },
): Promise<{ code: number; text: string }> {
  const outcomes: { name: string; outcome: CheckResult }[] = []
  for (const { name, check } of checks) outcomes.push({ name, outcome: await check(deps) })
  const code = Math.max(0, ...outcomes.map(({ outcome }) => codes[outcome.result]))
  if (options.json) {
    const list = outcomes.map(({ name, outcome }) => ({
      check: name,
      result: codes[outcome.result],
      details: outcome.details ?? null,
    }))
    return { code, text: JSON.stringify({ name: 'Upgrade Check Results', checks: list }) }
  }
  const rows = outcomes.map(({ name, outcome }) => {
    const details = outcome.details === undefined ? ['None'] : wrap(outcome.details, 60, '  ')
    return [`Check: ${name}\nResult: ${outcome.result}\nDetails: ${details.join('\n')}`]
  })
  return { code, text: prettyTable(['Upgrade Check Results'], rows, { align: 'left', ruled: true }) }
}
