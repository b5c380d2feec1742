import { describeError, Fault, isFault } from '../../../base/errors.ts'
import { type Image, moveImage, setProperty } from '../../store/images.ts'
import { setTaskStatus } from '../../store/tasks.ts'
import { acceptData, activate } from '../data/upload-image.ts'
import type { ImageDeps } from '../deps.ts'

/** Brings staged data into the store: importing → active, or back to queued with the reason in the task. */
export async function importStaged(deps: ImageDeps, image: Image, taskId: string): Promise<void> {
  const { db, store, staging, settings, log } = deps
  using _work = deps.underWay(image.id, 'importing')
  await setTaskStatus(db, taskId, 'processing')
  try {
    const staged = await staging.read(image.id, undefined)
    if (staged === undefined) throw new Fault('not-found', `The staged data of image ${image.id} are gone.`)
    const data = await store.write(image.id, staged, {
      maxBytes: settings.imageSizeCap,
      accept: acceptData(image, deps),
    })
    await activate(deps, image, 'importing', data)
    await setTaskStatus(db, taskId, 'success', `Copied ${Math.ceil(data.size / 2 ** 20)} MiB`)
  } catch (error) {
    log.warn({ err: error, imageId: image.id, taskId }, 'import failed')
    const isBack = await moveImage(db, image.id, 'importing', 'queued', { size: null, virtual_size: null })
    if (isBack) await setProperty(db, image.id, 'os_glance_failed_import', settings.storeId)
    const reason = isFault(error)
      ? describeError(error)
      : 'Unexpected error; the log of the service tells more.'
    await setTaskStatus(db, taskId, 'failure', reason)
  } finally {
    await staging.delete(image.id)
  }
}
