import { Type } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { Instance } from '../../store/instance-records.ts'
import { lockInstance } from '../../store/instances.ts'
import { readTags, setTags } from '../../store/tags.ts'
import type { CellDeps } from '../deps.ts'
import { linkMaker } from '../links.ts'
import { Tag } from '../servers/server.ts'
import { assertState, onServer, type Request, settledStates } from '../servers/server-route.ts'

const maxTags = 50
const path = '/servers/:id/tags'
const since = '2.26'
const rule = (name: string) => `os_compute_api:os-server-tags:${name}`
const body = Type.Object({ tags: Type.Array(Tag, { maxItems: maxTags }) }, { additionalProperties: false })

export const serverTagRoutes: readonly Route<CellDeps>[] = [
  onServer({ get: path, since, policy: rule('index'), handler: (_request, _deps, { tags }) => ({ tags }) }),
  onServer({ get: `${path}/:tag`, since, policy: rule('show'), status: 204, handler: show }),
  onServer({ put: path, since, policy: rule('update_all'), body, handler: replace }),
  onServer({ put: `${path}/:tag`, since, policy: rule('update'), handler: add }),
  onServer({ delete: `${path}/:tag`, since, policy: rule('delete'), handler: remove }),
  onServer({ delete: path, since, policy: rule('delete_all'), handler: removeAll }),
]

const noTag = (instance: Instance, tag: string) =>
  new Fault('not-found', `Server ${instance.uuid} has no tag '${tag}'`)

function show(request: Request, _deps: CellDeps, instance: Instance): void {
  const tag = request.params['tag']!
  if (!instance.tags.includes(tag)) throw noTag(instance, tag)
}

/** Changes what the server has when it is its turn, so that of two who change it at once neither is lost. */
async function change(
  instance: Instance,
  alter: (held: readonly string[]) => readonly string[],
  doing: string,
): Promise<void> {
  const { db } = assertState(instance, doing, settledStates, { idle: false })
  await inTransaction(db, async (transaction) => {
    await lockInstance(transaction, instance.uuid)
    const tags = alter(await readTags(transaction, instance.uuid))
    if (tags.length > maxTags) throw tooMany()
    await setTags(transaction, instance.uuid, tags)
  })
}

const tooMany = () => new Fault('invalid', `The number of tags exceeded the per-server limit ${maxTags}`)

async function replace(request: Request, _deps: CellDeps, instance: Instance) {
  const tags = [...new Set((request.body as { tags: string[] }).tags)]
  await change(instance, () => tags, 'update tags')
  return { tags }
}

async function add(request: Request, _deps: CellDeps, instance: Instance): Promise<void> {
  const tag = request.params['tag']!
  assertState(instance, 'update tag', settledStates, { idle: false })
  if (tag === '' || tag.length > 60 || /[,/]/.test(tag)) {
    throw new Fault(
      'invalid',
      `Tag '${tag}' is invalid. It must be a non empty string without characters '/' and ',', of at most 60 characters.`,
    )
  }
  if (instance.tags.length >= maxTags) throw tooMany()
  if (instance.tags.includes(tag)) return request.setStatus(204)
  await change(instance, (held) => [...new Set([...held, tag])], 'update tag')
  const links = linkMaker(request as ApiRequest, 'servers')(instance.uuid)
  request.setHeader('location', `${links[0]!.href}/tags/${encodeURIComponent(tag)}`)
  request.setStatus(201)
}

async function remove(request: Request, _deps: CellDeps, instance: Instance): Promise<void> {
  const tag = request.params['tag']!
  assertState(instance, 'delete tag', settledStates, { idle: false })
  if (!instance.tags.includes(tag)) throw noTag(instance, tag)
  await change(instance, (held) => held.filter((other) => other !== tag), 'delete tag')
}

function removeAll(_request: Request, _deps: CellDeps, instance: Instance): Promise<void> {
  return change(instance, () => [], 'delete tags')
}
