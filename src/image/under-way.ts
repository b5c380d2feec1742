/** Uploads and imports of this process: what shows other processes that they are alive. */
import type { Task } from '../base/task/task.ts'
import { type ImageDb, moveImage } from './store/images.ts'

/** What is under way has its image's `updated_at` renewed so often. */
const renewSeconds = 60
/** What was not renewed for so long is no longer under way: its process died. */
export const deadAfterMilliseconds = 5 * 60_000

export interface UnderWay {
  /** Until the result is disposed of, the image in this status is being worked on. */
  begin(imageId: string, status: string): Disposable
  /** Renews what is under way. */
  task: Task
}

export function trackUnderWay(db: ImageDb): UnderWay {
  const active = new Map<string, string>()
  return {
    begin(imageId, status) {
      active.set(imageId, status)
      return { [Symbol.dispose]: () => active.delete(imageId) }
    },
    task: {
      name: 'renew-uploads',
      everySeconds: renewSeconds,
      async run() {
        for (const [id, status] of active) await moveImage(db, id, status, status)
      },
    },
  }
}
