import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { showProgress } from '../terminal/progress.ts'
import { installMissing } from '../up/packages.ts'
import { installCloud } from './cloud/install.ts'
import { findLab, removeLab, startLab } from './lab.ts'
import { labNeeds } from './packages.ts'
import { type Database, defaultPlan, readPlan } from './plan.ts'
import { describeLab } from './status.ts'

/** Makes a lab and a cloud on it; one that runs already is only shown, the remains of one that does not are taken away first. */
export async function labUp(options: {
  directory: string
  database: Database
  /** Hosts without a cloud on them. */
  bare?: boolean
  yes?: boolean
}): Promise<number> {
  const running = await findLab(options.directory)
  if (running !== undefined && isFinished(options.directory)) {
    if (running.plan.database !== options.database) {
      throw new Fault(
        'conflict',
        `The lab in ${options.directory} runs on ${running.plan.database}. Take it away first (kilonova lab down), or use another --directory.`,
      )
    }
    console.log(`The lab in ${options.directory} is up already; nothing was changed.\n`)
    console.log(await describeLab(running))
    return 0
  }
  assertPossible()
  await installMissing(
    { yes: options.yes === true, say: (line) => console.log(line) },
    labNeeds(options.database),
  )
  const progress = showProgress()
  const onProgress = (text: string) => progress.step(text)
  try {
    // A machine that was switched off leaves files of a lab; an `up` that failed leaves it half made, to be looked at.
    if (readPlan(options.directory) !== undefined) await removeLab(options.directory, onProgress)
    const plan = defaultPlan({ database: options.database })
    const lab = await startLab({ directory: options.directory, plan, onProgress })
    if (options.bare !== true) await installCloud(lab, onProgress)
    writeFileSync(finishedMark(options.directory), '')
    progress.done()
    console.log(`\n${await describeLab(lab)}`)
  } catch (error) {
    progress.failed()
    throw error
  }
  return 0
}

const finishedMark = (directory: string) => join(directory, 'finished')
const isFinished = (directory: string) => existsSync(finishedMark(directory))

function assertPossible(): void {
  if (process.getuid?.() !== 0) {
    throw new Fault(
      'forbidden',
      'A lab is made of namespaces and mounts, which only root may make: use sudo.',
    )
  }
  if (!existsSync('/dev/net/tun')) {
    throw new Fault(
      'unavailable',
      'There is no /dev/net/tun, so guests cannot have a network. Load the module: modprobe tun',
    )
  }
}
