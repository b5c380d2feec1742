import { showSeconds } from '../../../base/clock.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { TaskRow } from '../../store/tables.ts'
import { listTasks, type TaskQuery } from '../../store/tasks.ts'
import type { ImageDeps } from '../deps.ts'
import { requestedImage } from '../images/lookup.ts'

export const taskRoutes: readonly Route<ImageDeps>[] = [
  { get: '/v2/tasks', policy: 'tasks_api_access', handler: showTasks },
  { get: '/v2/tasks/:task', policy: 'tasks_api_access', handler: showTask },
  { get: '/v2/images/:id/tasks', policy: 'default', handler: showTasksOfImage },
]

const brief = (row: TaskRow) => ({
  id: row.id,
  type: row.type,
  status: row.status,
  owner: row.owner,
  created_at: showSeconds(row.created_at),
  updated_at: showSeconds(row.updated_at),
  self: `/v2/tasks/${row.id}`,
  schema: '/v2/schemas/task',
})

const readJson = (text: string | null): unknown => (text === null ? null : JSON.parse(text))

const detailed = (row: TaskRow) => ({
  ...brief(row),
  input: readJson(row.input),
  result: readJson(row.result),
  message: row.message,
  image_id: row.image_id,
  request_id: row.request_id,
  user_id: row.user_id,
})

const allowed: Readonly<Record<string, readonly string[]>> = {
  status: ['pending', 'processing', 'success', 'failure'],
  type: ['import', 'api_image_import'],
}

async function showTasks(request: ApiRequest, { db }: ImageDeps) {
  const query: TaskQuery = {}
  for (const name of ['status', 'type'] as const) {
    const value = request.query[name]
    if (typeof value !== 'string') continue
    if (!allowed[name]!.includes(value)) throw new Fault('invalid', `Invalid ${name} value: ${value}`)
    query[name] = value
  }
  const { limit } = request.query
  if (limit !== undefined) {
    if (!/^\d+$/.test(String(limit))) throw new Fault('invalid', 'limit param must be an integer')
    query.limit = Number(limit)
  }
  const tasks = await listTasks(db, query)
  return { tasks: tasks.map(brief), first: '/v2/tasks', schema: '/v2/schemas/tasks' }
}

async function showTask(request: ApiRequest, { db }: ImageDeps) {
  const id = request.params['task']!
  const [task] = await listTasks(db, { id })
  if (task === undefined) throw new Fault('not-found', `Task with the given id ${id} was not found`, { id })
  return detailed(task)
}

async function showTasksOfImage(request: ApiRequest, { db }: ImageDeps) {
  const image = await requestedImage(request, db)
  const tasks = await listTasks(db, { imageId: image.id })
  return {
    tasks: tasks.map((row) => ({
      ...detailed(row),
      created_at: row.created_at,
      updated_at: row.updated_at,
      expires_at: row.expires_at,
      deleted_at: null,
      deleted: false,
    })),
  }
}
