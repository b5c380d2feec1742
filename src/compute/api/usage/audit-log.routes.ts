/** How the monthly audits of servers' use went. Hosts do not send any, so each month none is done. */
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { CellDeps } from '../deps.ts'
import { listHostServices } from '../hosts/host-services.ts'

const path = '/os-instance_usage_audit_log'
const rule = (name: string) => `os_compute_api:os-instance-usage-audit-log:${name}`

export const auditLogRoutes: readonly Route<CellDeps>[] = [
  {
    get: path,
    policy: rule('list'),
    handler: async (_request, deps) => ({ instance_usage_audit_logs: await auditBefore(deps, new Date()) }),
  },
  {
    get: `${path}/:before`,
    policy: rule('show'),
    handler: async (request: ApiRequest<never>, deps) => {
      const text = request.params['before']!
      const isTime = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(text)
      const before = new Date(isTime ? `${text.replace(' ', 'T')}Z` : Number.NaN)
      if (Number.isNaN(before.getTime())) throw new Fault('invalid', `Invalid timestamp for date ${text}`)
      return { instance_usage_audit_log: await auditBefore(deps, before) }
    },
  },
]

async function auditBefore(deps: CellDeps, before: Date) {
  const services = await listHostServices(deps, { binary: 'nova-compute' })
  const hosts = [...new Set(services.map(({ host }) => host))]
  const firstOf = (month: number) =>
    new Date(Date.UTC(before.getUTCFullYear(), month)).toISOString().slice(0, 19).replace('T', ' ')
  return {
    period_beginning: firstOf(before.getUTCMonth() - 1),
    period_ending: firstOf(before.getUTCMonth()),
    num_hosts: hosts.length,
    num_hosts_done: 0,
    num_hosts_running: 0,
    num_hosts_not_run: hosts.length,
    hosts_not_run: hosts,
    total_instances: 0,
    total_errors: 0,
    overall_status: `${hosts.length === 0 ? 'ALL' : `0 of ${hosts.length}`} hosts done. 0 errors.`,
    log: {},
  }
}
