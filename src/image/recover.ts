import type { Logger } from '../base/log.ts'
import type { FileStore } from './backends/file-store.ts'
import { findImage, type ImageDb, moveImage } from './store/images.ts'

/**
 * Settles what a process that died left: uploads and imports half-way go back to `queued`, and data that no image has
 * any more are removed. It must run before the API takes requests.
 */
export async function recover(db: ImageDb, store: FileStore, staging: FileStore, log: Logger): Promise<void> {
  await store.removePartial()
  await staging.removePartial()
  const staged = new Set(await staging.list())
  const unfinished = await db
    .selectFrom('images')
    .select(['id', 'status', 'size'])
    .where('status', 'in', ['saving', 'uploading', 'importing'])
    .where('deleted', '=', 0)
    .execute()
  for (const { id, status, size } of unfinished) {
    // Data that were staged to the end keep waiting for their import.
    if (status === 'uploading' && size !== null && staged.has(id)) continue
    await moveImage(db, id, status, 'queued', { size: null, virtual_size: null })
    log.warn({ imageId: id, status }, 'an upload was interrupted; the image is queued again')
  }
  await db
    .updateTable('tasks')
    .set({ status: 'failure' })
    .where('status', 'in', ['pending', 'processing'])
    .execute()
  const keeps: readonly [FileStore, readonly string[]][] = [
    [store, ['active', 'deactivated']],
    [staging, ['uploading']],
  ]
  for (const [files, statuses] of keeps) {
    for (const id of await files.list()) {
      const image = await findImage(db, id)
      if (image === undefined || !statuses.includes(image.status)) await files.delete(id)
    }
  }
}
