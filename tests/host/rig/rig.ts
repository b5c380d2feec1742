/** A lab for one test file: three hosts in namespaces, taken away at the end. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Lab, startLab } from '../../../src/cli/lab/lab.ts'
import { labNeeds } from '../../../src/cli/lab/packages.ts'
import { type Database, defaultPlan, type LabPlan } from '../../../src/cli/lab/plan.ts'
import { installMissing } from '../../../src/cli/up/packages.ts'

const main = join(import.meta.dirname, '../../../src/cli/main.ts')

/** Why labs cannot run here; false when they can. For `test(title, { skip })`. */
export function cannotRunLabs(): string | false {
  if (process.getuid?.() !== 0) return 'needs root'
  if (!existsSync('/dev/net/tun')) return 'needs /dev/net/tun'
  return false
}

export async function startRig(database: Database, changes: Partial<LabPlan> = {}): Promise<Lab> {
  await installMissing({ yes: true, say: () => undefined }, labNeeds(database))
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-rig-'))
  const forget = endBySignals(directory)
  const lab = await startLab({ directory, plan: defaultPlan({ ...changes, database }) })
  const dispose = lab[Symbol.asyncDispose]
  lab[Symbol.asyncDispose] = async () => {
    await dispose()
    forget()
  }
  return lab
}

/** A run that is ended by a signal takes its lab along: nothing else would ever end the processes of the hosts. */
function endBySignals(directory: string): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  // Synchronous, so that a second signal finds nothing half done.
  const end = () => {
    spawnSync(process.execPath, [main, 'lab', 'down', '--directory', directory])
    process.exit(1)
  }
  for (const signal of signals) process.once(signal, end)
  return () => {
    for (const signal of signals) process.off(signal, end)
  }
}

const kinds = ['net', 'mnt', 'pid'] as const

/** The namespaces of a lab's hosts, as `net:[4026532290]`. */
export function namespacesOf(lab: Lab): string[] {
  return lab.plan.hosts.flatMap(({ name }) =>
    kinds.map((kind) => readlinkSync(`/proc/${lab.holder(name).pid}/ns/${kind}`)),
  )
}

/** Processes of this machine that are in one of the namespaces. */
export function processesIn(namespaces: readonly string[]): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const isIn = (pid: string) =>
    kinds.some((kind) => {
      try {
        return namespaces.includes(readlinkSync(`/proc/${pid}/ns/${kind}`))
      } catch {
        // It ended just now, or is a zombie.
        return false
      }
    })
  return pids.filter(isIn).map(Number)
}
