import { Fault } from '../../../base/errors.ts'
import type { Route } from '../../../base/http/route.ts'
import { requestDelete } from '../../rpc/request-work.ts'
import type { Instance } from '../../store/instance-records.ts'
import type { CellDeps, EngineDeps, NetworkDeps } from '../deps.ts'
import { addressesOf } from './addresses.ts'
import { createServerBody } from './create/body.ts'
import { type CreateDeps, createServer } from './create/create-server.ts'
import { showUnknownServer } from './down-cells.ts'
import { serversQuery } from './list-query.ts'
import { listServers, listServersInDetail } from './list-servers.ts'
import { serverViewer } from './server.view.ts'
import { assertOwn } from './server-of-request.ts'
import { onServer, type Request, requesterOf } from './server-route.ts'
import { readShownServer, surroundingsOf } from './shown-server.ts'
import { updateServer, updateServerBody } from './update-server.ts'

export type ServerDeps = CreateDeps

const rule = (name: string) => `os_compute_api:servers:${name}`

export const serverRoutes: readonly Route<ServerDeps>[] = [
  { get: '/servers', policy: rule('index'), query: serversQuery, handler: listServers },
  { get: '/servers/detail', policy: rule('detail'), query: serversQuery, handler: listServersInDetail },
  { post: '/servers', policy: rule('create'), body: createServerBody, status: 202, handler: createServer },
  { get: '/servers/:id', policy: rule('show'), handler: showServer },
  onServer({ put: '/servers/:id', policy: rule('update'), body: updateServerBody, handler: updateServer }),
  onServer({
    delete: '/servers/:id',
    policy: rule('delete'),
    respectsLock: true,
    status: 204,
    handler: deleteServer,
  }),
  onServer({ get: '/servers/:id/ips', policy: 'os_compute_api:ips:index', handler: listAddresses }),
  onServer({ get: '/servers/:id/ips/:network', policy: 'os_compute_api:ips:show', handler: showAddresses }),
]

async function showServer(request: Request, deps: CellDeps & NetworkDeps) {
  const uuid = request.params['id']!
  let shown: Awaited<ReturnType<typeof readShownServer>>
  try {
    shown = await readShownServer(request, deps, uuid)
    assertOwn(request, uuid, shown.instance, rule('show'))
  } catch (error) {
    return { server: await showUnknownServer(request, deps, { rule: rule('show'), error }) }
  }
  const around = await surroundingsOf(request, deps, shown)
  return { server: serverViewer(request, around).whole(shown.instance) }
}

/** Ends a server, in whatever state it is. */
export async function deleteServer(
  request: Request,
  deps: CellDeps & EngineDeps,
  instance: Instance,
): Promise<void> {
  await requestDelete(deps, instance, requesterOf(request))
}

const plain = ({ version, addr }: { version: number; addr: string }) => ({ version, addr })

function plainAddresses(instance: Instance): [string, { version: number; addr: string }[]][] {
  return Object.entries(addressesOf(instance.networkInfo)).map(([name, list]) => [name, list.map(plain)])
}

function listAddresses(_request: Request, _deps: unknown, instance: Instance) {
  return { addresses: Object.fromEntries(plainAddresses(instance)) }
}

function showAddresses(request: Request, _deps: unknown, instance: Instance) {
  const found = plainAddresses(instance).find(([name]) => name === request.params['network'])
  if (found === undefined) throw new Fault('not-found', 'Instance is not a member of specified network')
  return Object.fromEntries([found])
}
