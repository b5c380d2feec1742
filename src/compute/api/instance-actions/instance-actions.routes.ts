import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import { throughSecond } from '../../../base/clock.ts'
import { Fault } from '../../../base/errors.ts'
import { type Fields, viewAt } from '../../../base/http/fields.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import {
  type ActionEventRow,
  type ActionRow,
  findAction,
  listActionEvents,
  listActions,
} from '../../store/actions.ts'
import type { Instance } from '../../store/instance-records.ts'
import { findInstance, instanceNotFound } from '../../store/instances.ts'
import type { CellDeps } from '../deps.ts'
import { nextLink } from '../links.ts'
import { isFull, pageOf, queryValue } from '../paging.ts'
import { AnyText, byVersion, paging, queryOf } from '../schema-types.ts'

type Request = ApiRequest<never>

const path = '/servers/:id/os-instance-actions'
const rule = (name: string) => `os_compute_api:os-instance-actions:${name}`

const query = byVersion((version) => {
  if (version < 2058) return queryOf({}, { strict: false })
  const time = { type: 'string', format: 'date-time' }
  const before = version < 2066 ? {} : { 'changes-before': time }
  return queryOf({ ...paging, limit: AnyText, 'changes-since': time, ...before }, { strict: true })
})

export const actionFields = { updated_at: { schema: Type.String(), since: '2.58' } } satisfies Fields
export const actionEventFields = {
  hostId: { schema: Type.String(), since: '2.62' },
  host: { schema: Type.Union([Type.String(), Type.Null()]), since: '2.62' },
  details: { schema: Type.Union([Type.String(), Type.Null()]), since: '2.84' },
} satisfies Fields

export const instanceActionRoutes: readonly Route<CellDeps>[] = [
  { get: path, policy: rule('list'), query, handler: list },
  { get: `${path}/:request`, policy: rule('show'), handler: show },
]

// Since 2.21 a server that is deleted still tells what was done to it.
async function find(request: Request, deps: CellDeps, name: string): Promise<Instance> {
  const uuid = request.params['id']!
  const instance = await findInstance(deps, uuid, { deleted: request.atLeast('2.21') })
  const isOwn = instance?.project_id === request.context.projectId || request.can('context_is_admin')
  if (instance === undefined || !isOwn) throw instanceNotFound(uuid)
  request.authorize(rule(name), { project_id: instance.project_id, user_id: instance.user_id })
  return instance
}

const micros = (stored: string): string => `${stored.slice(0, 23)}000`

function actionView(request: Request, action: ActionRow): Record<string, unknown> {
  const view = {
    action: action.action,
    instance_uuid: action.instance_uuid,
    message: action.message,
    project_id: action.project_id,
    request_id: action.request_id,
    start_time: micros(action.start_time),
    user_id: action.user_id,
    updated_at: micros(action.updated_at ?? action.created_at),
  }
  return viewAt<Record<string, unknown>>(actionFields, [], request.microversion, view)
}

function timeOf(request: Request, name: string): string | undefined {
  const text = queryValue(request, name)
  if (text === undefined) return undefined
  return new Date(/(z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`).toISOString()
}

async function list(request: Request, deps: CellDeps) {
  const instance = await find(request, deps, 'list')
  if (instance.cell === null) return { instanceActions: [] }
  const { db } = instance.cell
  if (!request.atLeast('2.58')) {
    const actions = await listActions(db, instance.uuid)
    return { instanceActions: actions.map((action) => actionView(request, action)) }
  }
  const page = pageOf(request, deps.config.maxLimit)
  if (page.marker !== undefined && (await findAction(db, instance.uuid, page.marker)) === undefined) {
    throw new Fault('invalid', `marker [${page.marker}] not found`)
  }
  const changesSince = timeOf(request, 'changes-since')
  const changesBefore = timeOf(request, 'changes-before')
  if (changesSince !== undefined && changesBefore !== undefined && changesBefore < changesSince) {
    throw new Fault('invalid', 'The value of changes-since must be less than or equal to changes-before.')
  }
  const actions = await listActions(db, instance.uuid, {
    ...page,
    ...(changesSince === undefined ? {} : { changesSince }),
    ...(changesBefore === undefined ? {} : { changesBefore: throughSecond(changesBefore) }),
  })
  const instanceActions = actions.map((action) => actionView(request, action))
  if (!isFull(actions, page.limit)) return { instanceActions }
  return { instanceActions, links: [nextLink(request as ApiRequest, actions.at(-1)!.request_id)] }
}

async function show(request: Request, deps: CellDeps) {
  const instance = await find(request, deps, 'show')
  const id = request.params['request']!
  const action = instance.cell === null ? undefined : await findAction(instance.cell.db, instance.uuid, id)
  if (action === undefined)
    throw new Fault('not-found', `Action for request_id ${id} on instance ${instance.uuid} not found`)
  const view = actionView(request, action)
  const target = { project_id: instance.project_id }
  const seesAll = request.can(rule('events'), target)
  if (seesAll || request.atLeast('2.51')) {
    const events = await listActionEvents(instance.cell!.db, [action.id])
    const seesDetails = request.can(rule('events:details'), target)
    view['events'] = events.map((event) => eventView(request, instance, event, { seesAll, seesDetails }))
  }
  return { instanceAction: view }
}

function eventView(
  request: Request,
  instance: Instance,
  event: ActionEventRow,
  may: { seesAll: boolean; seesDetails: boolean },
) {
  const { host } = event
  const view: Record<string, unknown> = {
    event: event.event,
    start_time: micros(event.start_time),
    finish_time: event.finish_time === null ? null : micros(event.finish_time),
    result: event.result,
    hostId:
      host === null
        ? ''
        : createHash('sha224')
            .update(instance.project_id + host)
            .digest('hex'),
  }
  if (may.seesAll) {
    view['traceback'] = event.traceback
    view['host'] = host
  }
  if (may.seesDetails) view['details'] = event.details
  return viewAt<Record<string, unknown>>(actionEventFields, [], request.microversion, view)
}
