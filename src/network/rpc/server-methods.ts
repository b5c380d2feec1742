/** neutron-server as agents call it: what they ask and what they report. */
import type { Bus } from '../../base/bus/bus.ts'
import { timestamp } from '../../base/clock.ts'
import type { MechanismDriver } from '../ml2/mechanism-driver.ts'
import { inWork, type WorkDeps } from '../work.ts'
import { type ServerMethods, serverTopic } from './agents.ts'
import { ensureDhcpPort, releaseDhcpPort } from './dhcp-ports.ts'
import { settleReports } from './port-reports.ts'
import { reportState } from './report-state.ts'
import { wantedDhcp } from './wanted-dhcp.ts'
import { wantedL2 } from './wanted-l2.ts'
import { workTogether } from './work-together.ts'

export function serverMethods(deps: WorkDeps, mechanisms: readonly MechanismDriver[]): ServerMethods {
  const { db, options } = deps
  const now = () => timestamp(deps.clock)
  const report = workTogether(deps, settleReports)
  return {
    reportState: (report) => inWork(deps, (work) => reportState(work, mechanisms, report)),
    wantedL2: (args) => wantedL2({ db, options, now }, args),
    portsChanged: ({ host, up, down }) => report({ host, up, down }),
    wantedDhcp: (args) => wantedDhcp({ db, options }, args),
    ensureDhcpPort: ({ host, networkId }) =>
      inWork(deps, (work) => ensureDhcpPort(work, mechanisms, host, networkId)),
    releaseDhcpPort: ({ host, networkId }) => inWork(deps, (work) => releaseDhcpPort(work, host, networkId)),
    dhcpReady: ({ portIds }) => report({ dhcpReady: portIds }),
    findPort: async ({ networkId, ipAddress }) => {
      const port = await db
        .selectFrom('ipallocations')
        .innerJoin('ports', 'ports.id', 'ipallocations.port_id')
        .select(['ports.device_id', 'ports.project_id'])
        .where('ipallocations.network_id', '=', networkId)
        .where('ipallocations.ip_address', '=', ipAddress)
        .executeTakeFirst()
      if (port === undefined || port.device_id === '') return null
      return { deviceId: port.device_id, projectId: port.project_id }
    },
  }
}

/** Serves the agents' calls over the bus. */
export const serveAgents = (bus: Bus, methods: ServerMethods, server: string): Promise<AsyncDisposable> =>
  bus.serve({ topic: serverTopic, server }, { ...methods })
