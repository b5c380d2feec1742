/** What can be done to a server at once: starting, stopping, locking and their like. */
import { type TSchema, Type } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { Route } from '../../../base/http/route.ts'
import type { OperationName } from '../../rpc/operations.ts'
import { requestOperation } from '../../rpc/request-work.ts'
import { insertAction } from '../../store/actions.ts'
import { mergeSystemMetadata, removeSystemMetadata, updateInstance } from '../../store/instance-changes.ts'
import type { Instance } from '../../store/instance-records.ts'
import type { CellDeps, EngineDeps, NetworkDeps } from '../deps.ts'
import { byVersion } from '../schema-types.ts'
import { assertState, hostOf, onServer, type Request, requesterOf } from '../servers/server-route.ts'
import { deleteServer } from '../servers/servers.routes.ts'
import { addFixedIp, removeFixedIp } from './fixed-ips.ts'
import { addSecurityGroup, removeSecurityGroup } from './security-groups.ts'

export type ActionDeps = CellDeps & EngineDeps & NetworkDeps

const post = '/servers/:id/action'
const status = 202
const strict = { additionalProperties: false }
const rule = (name: string) => `os_compute_api:${name}`
const only = (action: string, schema: TSchema) => Type.Object({ [action]: schema }, strict)

/** An action that the engine carries out as an operation. */
function operation(action: string, policy: string, name: OperationName): Route<ActionDeps> {
  return onServer<ActionDeps>({
    post,
    action,
    policy: rule(policy),
    respectsLock: true,
    status,
    body: only(action, Type.Unknown()),
    handler: (request, deps, instance) => requestOperation(deps, instance, name, requesterOf(request)),
  })
}

const rebootBody = only(
  'reboot',
  Type.Object({ type: Type.Enum(['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft']) }, strict),
)
const lockBody = byVersion((version) =>
  only(
    'lock',
    version < 2073
      ? Type.Unknown()
      : Type.Union([
          Type.Null(),
          Type.Object(
            { locked_reason: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) },
            strict,
          ),
        ]),
  ),
)
const resetBody = only('os-resetState', Type.Object({ state: Type.Enum(['active', 'error']) }, strict))
const outputBody = only(
  'os-getConsoleOutput',
  Type.Union([
    Type.Null(),
    Type.Object(
      {
        length: Type.Optional(
          Type.Unsafe<number | string | null>({
            type: ['integer', 'string', 'null'],
            pattern: '^-?[0-9]+$',
            minimum: -1,
          }),
        ),
      },
      strict,
    ),
  ]),
)
const named = (action: string) =>
  only(action, Type.Object({ name: Type.String({ minLength: 1, maxLength: 255 }) }, strict))
const fixedIpUntil = '2.43'

export const serverActionRoutes: readonly Route<ActionDeps>[] = [
  operation('os-start', 'servers:start', 'start'),
  operation('os-stop', 'servers:stop', 'stop'),
  operation('pause', 'os-pause-server:pause', 'pause'),
  operation('unpause', 'os-pause-server:unpause', 'unpause'),
  operation('suspend', 'os-suspend-server:suspend', 'suspend'),
  operation('resume', 'os-suspend-server:resume', 'resume'),
  onServer<ActionDeps>({
    post,
    action: 'reboot',
    policy: rule('servers:reboot'),
    respectsLock: true,
    status,
    body: rebootBody,
    handler: reboot,
  }),
  onServer<ActionDeps>({
    post,
    action: 'lock',
    policy: rule('os-lock-server:lock'),
    status,
    body: lockBody,
    handler: lock,
  }),
  onServer<ActionDeps>({
    post,
    action: 'unlock',
    policy: rule('os-lock-server:unlock'),
    status,
    body: only('unlock', Type.Unknown()),
    handler: unlock,
  }),
  onServer<ActionDeps>({
    post,
    action: 'os-resetState',
    policy: rule('os-admin-actions:reset_state'),
    status,
    body: resetBody,
    handler: resetState,
  }),
  onServer<ActionDeps>({
    post,
    action: 'os-getConsoleOutput',
    policy: rule('os-console-output'),
    status: 200,
    body: outputBody,
    handler: consoleOutput,
  }),
  onServer<ActionDeps>({
    post,
    action: 'forceDelete',
    policy: rule('os-deferred-delete:force'),
    respectsLock: true,
    status,
    handler: deleteServer,
  }),
  onServer<ActionDeps>({
    post,
    action: 'restore',
    policy: rule('os-deferred-delete:restore'),
    status,
    handler: restore,
  }),
  onServer<ActionDeps>({
    post,
    action: 'changePassword',
    policy: rule('os-admin-password'),
    respectsLock: true,
    body: only('changePassword', Type.Object({ adminPass: Type.String() }, strict)),
    handler: changePassword,
  }),
  onServer<ActionDeps>({
    post,
    action: 'addSecurityGroup',
    policy: rule('os-security-groups:add'),
    status,
    body: named('addSecurityGroup'),
    handler: addSecurityGroup,
  }),
  onServer<ActionDeps>({
    post,
    action: 'removeSecurityGroup',
    policy: rule('os-security-groups:remove'),
    status,
    body: named('removeSecurityGroup'),
    handler: removeSecurityGroup,
  }),
  onServer<ActionDeps>({
    post,
    action: 'addFixedIp',
    until: fixedIpUntil,
    policy: rule('os-multinic:add'),
    status,
    body: only('addFixedIp', Type.Object({ networkId: Type.String({ minLength: 1 }) }, strict)),
    handler: addFixedIp,
  }),
  onServer<ActionDeps>({
    post,
    action: 'removeFixedIp',
    until: fixedIpUntil,
    policy: rule('os-multinic:remove'),
    status,
    body: only('removeFixedIp', Type.Object({ address: Type.String({ format: 'ip' }) }, strict)),
    handler: removeFixedIp,
  }),
]

/** The argument of an action: what stands under its name in the body. */
export const argumentOf = <T>(request: Request, action: string): T =>
  (request.body as Record<string, T>)[action]!

function reboot(request: Request, deps: ActionDeps, instance: Instance) {
  const { type } = argumentOf<{ type: string }>(request, 'reboot')
  const name = type.toLowerCase() === 'hard' ? 'reboot-hard' : 'reboot-soft'
  return requestOperation(deps, instance, name, requesterOf(request))
}

function cellOf(instance: Instance) {
  if (instance.cell !== null) return instance.cell
  throw new Fault('conflict', `Instance ${instance.uuid} is not ready`, { id: instance.uuid })
}

async function lock(request: Request, _deps: ActionDeps, instance: Instance): Promise<void> {
  const { db } = cellOf(instance)
  const reason = argumentOf<{ locked_reason?: string } | null>(request, 'lock')?.locked_reason
  const isOwner = instance.project_id === request.context.projectId
  await inTransaction(db, async (transaction) => {
    await insertAction(transaction, { action: 'lock', instanceUuid: instance.uuid, ...requesterOf(request) })
    await updateInstance(transaction, instance.uuid, { locked: 1, locked_by: isOwner ? 'owner' : 'admin' })
    if (reason !== undefined) await mergeSystemMetadata(transaction, instance.uuid, { locked_reason: reason })
  })
}

async function unlock(request: Request, _deps: ActionDeps, instance: Instance): Promise<void> {
  const { db } = cellOf(instance)
  if (instance.locked_by === 'admin' && !request.can('context_is_admin')) {
    request.authorize(rule('os-lock-server:unlock:unlock_override'), { project_id: instance.project_id })
  }
  await inTransaction(db, async (transaction) => {
    await insertAction(transaction, {
      action: 'unlock',
      instanceUuid: instance.uuid,
      ...requesterOf(request),
    })
    await updateInstance(transaction, instance.uuid, { locked: 0, locked_by: null })
    await removeSystemMetadata(transaction, instance.uuid, ['locked_reason'])
  })
}

async function resetState(request: Request, _deps: ActionDeps, instance: Instance): Promise<void> {
  const { db } = cellOf(instance)
  const { state } = argumentOf<{ state: 'active' | 'error' }>(request, 'os-resetState')
  await updateInstance(db, instance.uuid, { vm_state: state, task_state: null })
}

async function consoleOutput(request: Request, deps: ActionDeps, instance: Instance) {
  const { host, cell } = hostOf(instance)
  const length = argumentOf<{ length?: number | string | null } | null>(
    request,
    'os-getConsoleOutput',
  )?.length
  const { output } = await deps.agents(cell.id).consoleOutput({ uuid: instance.uuid }, { server: host })
  return { output: lastLines(output, length == null ? -1 : Number(length)) }
}

function lastLines(text: string, count: number): string {
  if (count < 0) return text
  if (count === 0) return ''
  const lines = text.split('\n')
  const end = text.endsWith('\n') ? 1 : 0
  return lines.slice(Math.max(0, lines.length - end - count)).join('\n')
}

// Deletes are for good here, so that no server ever is in the state that can be restored.
function restore(_request: Request, _deps: ActionDeps, instance: Instance): void {
  assertState(instance, 'restore', ['soft-delete'], { idle: false })
}

function changePassword(_request: Request, _deps: ActionDeps, instance: Instance): never {
  assertState(instance, 'changePassword', ['active'], { idle: true })
  throw new Fault('not-implemented', 'Unable to set password on instance')
}
