import type { Kysely } from 'kysely'
import type { Logger } from '../../base/log.ts'
import type { FileStore } from '../backends/file-store.ts'
import type { ImageSettings } from '../config.ts'
import type { ImageTables } from '../store/tables.ts'

export interface ImageDeps {
  db: Kysely<ImageTables>
  store: FileStore
  /** Data that was uploaded to be imported. */
  staging: FileStore
  settings: ImageSettings
  log: Logger
  /** Until disposed of, the image in this status is being worked on; other processes leave it alone. */
  underWay(imageId: string, status: string): Disposable
  /** Starts work that outlives its request; the service waits for it when it stops. */
  inBackground(work: () => Promise<void>): void
}
