/** A server's consoles, diagnostics, password, topology and volumes: what this hypervisor and cloud offer of them. */
import { Type } from 'typebox'
import { Fault } from '../../../base/errors.ts'
import type { Route } from '../../../base/http/route.ts'
import { mergeSystemMetadata } from '../../store/instance-changes.ts'
import type { Instance } from '../../store/instance-records.ts'
import type { CellDeps } from '../deps.ts'
import { byVersion, wrapped } from '../schema-types.ts'
import { hostOf, onServer, type Request } from '../servers/server-route.ts'

const strict = { additionalProperties: false }
const rule = (name: string) => `os_compute_api:${name}`
const volumes = '/servers/:id/os-volume_attachments'

const remoteBody = byVersion((version) => {
  const protocols = ['vnc', 'spice', 'rdp', 'serial']
  const types = ['novnc', 'xvpvnc', 'spice-html5', 'rdp-html5', 'serial']
  if (version >= 2008) {
    protocols.push('mks')
    types.push('webmks')
  }
  const oneOf = (values: string[]) => Type.Unsafe<string>({ type: 'string', enum: values })
  return wrapped('remote_console', Type.Object({ protocol: oneOf(protocols), type: oneOf(types) }, strict))
})

const oldConsole = (action: string): Route<CellDeps> =>
  onServer({
    post: '/servers/:id/action',
    action,
    until: '2.5',
    policy: rule('os-remote-consoles'),
    body: wrapped(action, Type.Object({ type: Type.String({ minLength: 1 }) }, strict)),
    handler: (request, _deps, instance) => {
      const { type } = (request.body as Record<string, { type: string }>)[action]!
      return refuseConsole(instance, type)
    },
  })

export const serverConsoleRoutes: readonly Route<CellDeps>[] = [
  oldConsole('os-getVNCConsole'),
  oldConsole('os-getSPICEConsole'),
  oldConsole('os-getRDPConsole'),
  oldConsole('os-getSerialConsole'),
  onServer({
    post: '/servers/:id/remote-consoles',
    since: '2.6',
    policy: rule('os-remote-consoles'),
    body: remoteBody,
    handler: (request, _deps, instance) =>
      refuseConsole(instance, (request.body as { remote_console: { type: string } }).remote_console.type),
  }),
  onServer({
    get: '/servers/:id/diagnostics',
    policy: rule('os-server-diagnostics'),
    handler: refuseDiagnostics,
  }),
  onServer({
    get: '/servers/:id/topology',
    since: '2.78',
    policy: 'compute:server:topology:index',
    // Guests have one node, which is shown as none.
    handler: () => ({ nodes: [], pagesize_kb: null }),
  }),
  onServer({
    get: '/servers/:id/os-server-password',
    policy: rule('os-server-password:show'),
    handler: showPassword,
  }),
  onServer({
    delete: '/servers/:id/os-server-password',
    policy: rule('os-server-password:clear'),
    status: 204,
    handler: clearPassword,
  }),
  onServer({
    get: volumes,
    policy: rule('os-volumes-attachments:index'),
    handler: () => ({ volumeAttachments: [] }),
  }),
  onServer({ get: `${volumes}/:volume`, policy: rule('os-volumes-attachments:show'), handler: noVolume }),
  onServer({
    delete: `${volumes}/:volume`,
    policy: rule('os-volumes-attachments:delete'),
    handler: noVolume,
  }),
]

function refuseConsole(instance: Instance, type: string): never {
  hostOf(instance)
  throw new Fault('invalid', `Unavailable console type ${type}.`)
}

function refuseDiagnostics(_request: Request, _deps: CellDeps, instance: Instance): never {
  hostOf(instance)
  throw new Fault('not-implemented', 'The requested functionality is not supported.')
}

// The guest posts its password, encrypted with the user's key, to the metadata service, which keeps it in pieces.
const pieces = ['password_0', 'password_1', 'password_2', 'password_3'] as const

function showPassword(_request: Request, _deps: CellDeps, { systemMetadata }: Instance) {
  return { password: pieces.map((piece) => systemMetadata[piece] ?? '').join('') }
}

async function clearPassword(_request: Request, _deps: CellDeps, instance: Instance): Promise<void> {
  if (instance.cell === null) return
  await mergeSystemMetadata(
    instance.cell.db,
    instance.uuid,
    Object.fromEntries(pieces.map((piece) => [piece, ''])),
  )
}

function noVolume(request: Request): never {
  throw new Fault('not-found', `volume_id not found: ${request.params['volume']}`)
}
