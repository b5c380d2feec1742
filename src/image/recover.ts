import type { Logger } from '../base/log.ts'
import type { FileStore } from './backends/file-store.ts'
import { findImage, type ImageDb, moveImage } from './store/images.ts'

export interface RecoverDeps {
  db: ImageDb
  store: FileStore
  staging: FileStore
  log: Logger
  /** What changed since then may be another process's work; only what is older is a dead one's. */
  before: Date
}

const underWay = ['saving', 'uploading', 'importing']

/**
 * Settles what processes that died left: uploads and imports half-way go back to `queued`, and data that no image has
 * any more are removed.
 */
export async function recover({ db, store, staging, log, before }: RecoverDeps): Promise<void> {
  const time = before.toISOString()
  await store.removePartial(before)
  await staging.removePartial(before)
  const staged = new Set(await staging.list())
  const unfinished = await db
    .selectFrom('images')
    .select(['id', 'status', 'size'])
    .where('status', 'in', underWay)
    .where('updated_at', '<', time)
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
    .where('updated_at', '<', time)
    .execute()
  const keeps: readonly [FileStore, readonly string[]][] = [
    [store, ['active', 'deactivated', ...underWay]],
    [staging, underWay],
  ]
  for (const [files, statuses] of keeps) {
    for (const id of await files.list(before)) {
      const image = await findImage(db, id)
      if (image === undefined || !statuses.includes(image.status)) await files.delete(id)
    }
  }
}
