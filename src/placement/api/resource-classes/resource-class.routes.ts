import { Type } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import { assertValid } from '../../../base/http/validate.ts'
import {
  deleteResourceClass,
  getResourceClass,
  insertResourceClass,
  listResourceClasses,
  renameResourceClass,
} from '../../store/resource-classes.ts'
import type { PlacementDeps, PlacementRoute, Request } from '../deps.ts'
import { mountOf, setLocation, setModified } from '../request.ts'

const since = '1.2'
const one = '/resource_classes/:name'
const prefix = 'placement:resource_classes'
const nameBody = Type.Object(
  { name: Type.String({ pattern: '^CUSTOM_[A-Z0-9_]+$', maxLength: 255 }) },
  { additionalProperties: false },
)

interface Body {
  name: string
}

export const resourceClassRoutes: readonly PlacementRoute[] = [
  { get: '/resource_classes', policy: `${prefix}:list`, since, handler: list },
  {
    post: '/resource_classes',
    policy: `${prefix}:create`,
    since,
    body: nameBody,
    status: 201,
    handler: create,
  },
  { get: one, policy: `${prefix}:show`, since, handler: show },
  { put: one, policy: `${prefix}:update`, since, until: '1.6', body: nameBody, handler: rename },
  { put: one, policy: `${prefix}:update`, since: '1.7', handler: ensure },
  { delete: one, policy: `${prefix}:delete`, since, handler: remove },
]

async function list(request: Request, deps: PlacementDeps): Promise<unknown> {
  const classes = await listResourceClasses(deps.db)
  setModified(
    request,
    classes.map((row) => row.updatedAt ?? row.createdAt),
  )
  return { resource_classes: classes.map((row) => view(request, row.name)) }
}

async function create(request: Request<Body>, deps: PlacementDeps): Promise<undefined> {
  const { name } = request.body
  const created = await inTransaction(deps.db, (transaction) => insertResourceClass(transaction, name))
  if (!created) throw new Fault('conflict', `Conflicting resource class already exists: ${name}`)
  setLocation(request, `/resource_classes/${name}`)
}

async function show(request: Request, deps: PlacementDeps): Promise<unknown> {
  const row = await getResourceClass(deps.db, request.params['name']!)
  setModified(request, [row.updatedAt ?? row.createdAt])
  return view(request, row.name)
}

async function rename(request: Request<Body>, deps: PlacementDeps): Promise<unknown> {
  const { name } = request.body
  await inTransaction(deps.db, (transaction) =>
    renameResourceClass(transaction, request.params['name']!, name),
  )
  return view(request, name)
}

async function ensure(request: Request, deps: PlacementDeps): Promise<undefined> {
  const name = request.params['name']!
  assertValid(nameBody, { name })
  const created = await inTransaction(deps.db, (transaction) => insertResourceClass(transaction, name))
  request.setStatus(created ? 201 : 204)
  setLocation(request, `/resource_classes/${name}`)
}

async function remove(request: Request, deps: PlacementDeps): Promise<undefined> {
  await inTransaction(deps.db, (transaction) => deleteResourceClass(transaction, request.params['name']!))
}

const view = (request: Request, name: string): unknown => ({
  name,
  links: [{ rel: 'self', href: `${mountOf(request)}/resource_classes/${name}` }],
})
