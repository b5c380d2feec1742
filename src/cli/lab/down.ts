import { resolve } from 'node:path'
import { showProgress } from '../terminal/progress.ts'
import { removeLab } from './lab.ts'

/** Takes a lab away: its processes, namespaces and files. */
export async function labDown(options: { directory: string }): Promise<number> {
  const progress = showProgress()
  try {
    const removed = await removeLab(options.directory, (text) => progress.step(text))
    progress.done()
    console.log(
      removed
        ? 'Nothing of the lab is left.'
        : `There is no lab in ${resolve(options.directory)}; nothing to do.`,
    )
    return 0
  } catch (error) {
    progress.failed()
    throw error
  }
}
