import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { createLogger } from '../base/log.ts'
import { showProgress } from './terminal/progress.ts'
import { stopProcess } from './up/process.ts'
import { readSettings } from './up/settings.ts'

/** Stops the cloud; with `purge` deletes its servers, networks, rules and files as well. */
export async function down(options: { stateDir: string; purge?: boolean }): Promise<number> {
  const stateDir = resolve(options.stateDir)
  const settings = readSettings(stateDir)
  if (settings === undefined) {
    console.log(`There is no cloud in ${stateDir}; nothing to do.`)
    return 0
  }
  const progress = showProgress()
  progress.step('stopping the services')
  const stopped = await stopProcess(stateDir, 20)
  progress.done()
  const log = createLogger({ level: 'warn' })
  if (options.purge !== true) {
    if (!settings.simulated) {
      const { stopHost } = await import('./up/host.ts')
      await stopHost(stateDir, log)
    }
    console.log(stopped ? 'The cloud is down.' : 'The cloud was down already.')
    if (!settings.simulated)
      console.log('Its servers and their networks go on running. To delete everything: kilonova down --purge')
    return 0
  }
  if (!settings.simulated) {
    const { purgeHost } = await import('./up/host.ts')
    await purgeHost({ stateDir, settings, log, onProgress: (text) => progress.step(text) })
    progress.done()
  }
  progress.step(`deleting ${stateDir}`)
  if (existsSync(stateDir)) rmSync(stateDir, { recursive: true, force: true })
  progress.done()
  console.log('Nothing of the cloud is left.')
  return 0
}
