/** Units of a lab whose main process is killed, and which start again. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiName } from '../../../src/cli/admin-client.ts'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import { stateOf, unitName } from '../../../src/cli/lab/systemctl/service.ts'
import { until } from '../../../src/testing/until.ts'

export interface Unit {
  host: string
  unit: string
  /** The API that it serves. */
  api?: ApiName
  /** The service or agent that it is, and of which host it says to be: its own unless given. */
  binary?: string
  at?: string
}

interface MainProcess {
  pid: number
  startedAt: Date
}

function mainProcess(lab: Lab, { host, unit }: Unit): MainProcess | undefined {
  const file = lab.path(host, join(stateOf(unitName(unit)), 'main.pid'))
  if (!existsSync(file)) return undefined
  try {
    return { pid: Number(readFileSync(file, 'utf8')), startedAt: statSync(file).mtime }
  } catch {
    // It ended just now.
    return undefined
  }
}

/** `kill -9`; resolves with the time at which it was started again. */
export async function killUnit(lab: Lab, unit: Unit): Promise<Date> {
  const before = mainProcess(lab, unit)?.pid
  await lab.kill(unit.host, unit.unit)
  const again = await until(async () => {
    const now = mainProcess(lab, unit)
    return now?.pid === before ? undefined : now
  }, `${unit.unit} to be started again`)
  return again.startedAt
}
