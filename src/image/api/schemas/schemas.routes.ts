import type { Route } from '../../../base/http/route.ts'
import type { ImageDeps } from '../deps.ts'
import { imageSchema, uuidPattern } from '../images/image-schema.ts'

export const schemaRoutes: readonly Route<ImageDeps>[] = [
  {
    get: '/v2/schemas/image',
    policy: 'default',
    handler: (_request, { settings }) => imageSchema(settings),
  },
  {
    get: '/v2/schemas/images',
    policy: 'default',
    handler: (_request, { settings }) => pagesOf('images', imageSchema(settings)),
  },
  { get: '/v2/schemas/member', policy: 'default', handler: () => member },
  { get: '/v2/schemas/members', policy: 'default', handler: () => listOf('members', member) },
  { get: '/v2/schemas/task', policy: 'default', handler: () => task },
  { get: '/v2/schemas/tasks', policy: 'default', handler: () => listOf('tasks', taskInList) },
]

const string = { type: 'string' }
const described = (description: string, more: object = {}) => ({ type: 'string', description, ...more })
const readOnly = { readOnly: true, type: 'string' }

const member = {
  name: 'member',
  properties: {
    created_at: described('When the member was added.'),
    image_id: described('The image that is shared.', { pattern: uuidPattern }),
    member_id: described('The project that the image is shared with.'),
    schema: readOnly,
    status: described('What the project makes of it.', { enum: ['pending', 'accepted', 'rejected'] }),
    updated_at: described('When the member last changed.'),
  },
}

const taskInList = {
  name: 'task',
  properties: {
    id: described('The id of the task.', { pattern: uuidPattern }),
    type: described('What the task does.', { enum: ['import', 'api_image_import'] }),
    status: described('How far the task is.', { enum: ['pending', 'processing', 'success', 'failure'] }),
    owner: described('The project that the task works for.'),
    expires_at: { type: ['null', 'string'], description: 'When the task may be forgotten.' },
    created_at: described('When the task was made.'),
    updated_at: described('When the task last changed.'),
    self: readOnly,
    schema: readOnly,
  },
}

const task = {
  name: 'task',
  properties: {
    ...taskInList.properties,
    image_id: described('The image that the task works on.'),
    request_id: described('The request that made the task.'),
    user_id: described('The user who made the task.'),
    input: { type: ['null', 'object'], description: 'What the task was given.' },
    result: { type: ['null', 'object'], description: 'What the task found.' },
    message: described('Why the task failed, or what it did.'),
  },
}

const listOf = (name: string, items: object) => ({
  name,
  properties: { [name]: { type: 'array', items }, schema: string },
  links: [{ rel: 'describedby', href: '{schema}' }],
})

const pagesOf = (name: string, items: object) => ({
  name,
  properties: { [name]: { type: 'array', items }, first: string, next: string, schema: string },
  links: [
    { rel: 'first', href: '{first}' },
    { rel: 'next', href: '{next}' },
    { rel: 'describedby', href: '{schema}' },
  ],
})
