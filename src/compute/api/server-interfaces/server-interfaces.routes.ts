/** A server's ports and their security groups, as Network has them. */
import { Type } from 'typebox'
import type { Port } from '#network/client.ts'
import { Fault } from '../../../base/errors.ts'
import { type Fields, viewAt } from '../../../base/http/fields.ts'
import type { Route } from '../../../base/http/route.ts'
import type { Instance } from '../../store/instance-records.ts'
import type { CellDeps, NetworkDeps } from '../deps.ts'
import { securityGroupViews } from '../security-groups/security-groups.routes.ts'
import { onServer, type Request } from '../servers/server-route.ts'

type Deps = CellDeps & NetworkDeps

const path = '/servers/:id/os-interface'
const rule = (name: string) => `os_compute_api:os-attach-interfaces:${name}`

export const interfaceFields = {
  tag: { schema: Type.Union([Type.String(), Type.Null()]), since: '2.70' },
} satisfies Fields

export const serverInterfaceRoutes: readonly Route<Deps>[] = [
  onServer({ get: path, policy: rule('list'), handler: list }),
  onServer({ get: `${path}/:port`, policy: rule('show'), handler: show }),
  onServer({
    get: '/servers/:id/os-security-groups',
    policy: 'os_compute_api:os-security-groups:list',
    handler: listSecurityGroups,
  }),
]

function view(request: Request, instance: Instance, port: Port): Record<string, unknown> {
  const tag = instance.networkInfo.find(({ id }) => id === port.id)?.tag ?? null
  const shown = {
    port_id: port.id,
    port_state: port.status,
    net_id: port.networkId,
    mac_addr: port.macAddress,
    fixed_ips: port.fixedIps.map(({ subnetId, ipAddress }) => ({
      subnet_id: subnetId,
      ip_address: ipAddress,
    })),
    tag,
  }
  return viewAt<Record<string, unknown>>(interfaceFields, [], request.microversion, shown)
}

async function list(request: Request, deps: Deps, instance: Instance) {
  const ports = await deps.networkFor(request.context.token).listPortsByDevice([instance.uuid])
  return { interfaceAttachments: ports.map((port) => view(request, instance, port)) }
}

async function show(request: Request, deps: Deps, instance: Instance) {
  const id = request.params['port']!
  const [port] = await deps.networkFor(request.context.token).listPorts({ ids: [id] })
  if (port === undefined) throw new Fault('not-found', `Port ${id} could not be found.`)
  if (port.deviceId !== instance.uuid) {
    throw new Fault('not-found', `Instance ${instance.uuid} does not have port with id ${id}`)
  }
  return { interfaceAttachment: view(request, instance, port) }
}

async function listSecurityGroups(request: Request, deps: Deps, instance: Instance) {
  const client = deps.networkFor(request.context.token)
  const ports = await client.listPortsByDevice([instance.uuid])
  const ids = [...new Set(ports.flatMap((port) => port.securityGroupIds))]
  const groups = await client.listSecurityGroups({ ids })
  return { security_groups: await securityGroupViews(client, groups) }
}
