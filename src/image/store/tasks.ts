/** Imports as glance's tasks. */
import { timestamp } from '../../base/clock.ts'
import type { ImageDb } from './images.ts'
import type { TaskRow } from './tables.ts'

export interface NewTask {
  id: string
  type: string
  owner: string
  imageId: string
  requestId: string
  userId: string
  input: unknown
}

/** Writes a task in status `pending`. */
export async function insertTask(db: ImageDb, task: NewTask): Promise<void> {
  const now = timestamp()
  await db
    .insertInto('tasks')
    .values({
      id: task.id,
      type: task.type,
      status: 'pending',
      owner: task.owner,
      image_id: task.imageId,
      request_id: task.requestId,
      user_id: task.userId,
      expires_at: null,
      created_at: now,
      updated_at: now,
    })
    .execute()
  await db
    .insertInto('task_info')
    .values({ task_id: task.id, input: JSON.stringify(task.input), result: null, message: '' })
    .execute()
}

/** Moves a task on; `message` says why it failed, or what it did. */
export async function setTaskStatus(db: ImageDb, id: string, status: string, message = ''): Promise<void> {
  const now = timestamp()
  // In this order: who sees that a task failed sees why.
  await db.updateTable('task_info').set({ message }).where('task_id', '=', id).execute()
  await db.updateTable('tasks').set({ status, updated_at: now }).where('id', '=', id).execute()
}

export interface TaskQuery {
  id?: string
  imageId?: string
  status?: string
  type?: string
  limit?: number
}

/** Tasks, newest first. */
export async function listTasks(db: ImageDb, query: TaskQuery): Promise<TaskRow[]> {
  let select = db.selectFrom('tasks').innerJoin('task_info', 'task_info.task_id', 'tasks.id').selectAll()
  if (query.id !== undefined) select = select.where('tasks.id', '=', query.id)
  if (query.imageId !== undefined) select = select.where('tasks.image_id', '=', query.imageId)
  if (query.status !== undefined) select = select.where('tasks.status', '=', query.status)
  if (query.type !== undefined) select = select.where('tasks.type', '=', query.type)
  if (query.limit !== undefined) select = select.limit(query.limit)
  return select.orderBy('tasks.created_at', 'desc').orderBy('tasks.id').execute()
}
