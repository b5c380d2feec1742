/** What nova once had and answers 410 for today, whatever the microversion. */
import { Fault } from '../../../base/errors.ts'
import type { Route } from '../../../base/http/route.ts'

const gone: Readonly<Record<'get' | 'post' | 'put' | 'delete', readonly string[]>> = {
  get: [
    '/os-agents',
    '/os-cells',
    '/os-cells/capacities',
    '/os-cells/detail',
    '/os-cells/info',
    '/os-cells/:id',
    '/os-cells/:id/capacities',
    '/os-certificates/:id',
    '/os-cloudpipe',
    '/os-fixed-ips/:id',
    '/os-floating-ip-dns',
    '/os-floating-ip-dns/:domain/entries/:id',
    '/os-floating-ips-bulk',
    '/os-floating-ips-bulk/:id',
    '/os-fping',
    '/os-fping/:id',
    '/os-security-group-default-rules',
    '/os-security-group-default-rules/:id',
    '/servers/:id/consoles',
    '/servers/:id/consoles/:console',
    '/servers/:id/os-virtual-interfaces',
  ],
  post: [
    '/os-agents',
    '/os-cells',
    '/os-cells/sync_instances',
    '/os-certificates',
    '/os-cloudpipe',
    '/os-fixed-ips/:id/action',
    '/os-floating-ips-bulk',
    '/os-networks',
    '/os-networks/add',
    '/os-networks/:id/action',
    '/os-security-group-default-rules',
    '/os-tenant-networks',
    '/servers/:id/consoles',
  ],
  put: [
    '/os-agents/:id',
    '/os-cells/:id',
    '/os-cloudpipe/:id',
    '/os-floating-ip-dns/:id',
    '/os-floating-ip-dns/:domain/entries/:id',
    '/os-floating-ips-bulk/:id',
  ],
  delete: [
    '/os-agents/:id',
    '/os-cells/:id',
    '/os-floating-ip-dns/:id',
    '/os-floating-ip-dns/:domain/entries/:id',
    '/os-networks/:id',
    '/os-security-group-default-rules/:id',
    '/os-tenant-networks/:id',
    '/servers/:id/consoles/:console',
  ],
}

function answerGone(): never {
  throw new Fault('gone', 'This resource is no longer available. No forwarding address is given.')
}

export const goneRoutes: readonly Route<object>[] = Object.entries(gone).flatMap(([method, paths]) =>
  paths.map((path) => ({ [method]: path, policy: 'authenticated', handler: answerGone })),
)
