/** neutron-server as agents call it: what they ask and what they report. */
import type { Bus } from '../../base/bus/bus.ts'
import { timestamp } from '../../base/clock.ts'
import type { MechanismDriver } from '../ml2/mechanism-driver.ts'
import { awaitWiring, completeLocked, completeProvisioning, setPortStatus } from '../ml2/provisioning.ts'
import { lockBindings } from '../store/port-parts.ts'
import { inWork, type Work, type WorkDeps } from '../work.ts'
import { type ServerMethods, serverTopic } from './agents.ts'
import { ensureDhcpPort, releaseDhcpPort } from './dhcp-ports.ts'
import { reportState } from './report-state.ts'
import { wantedDhcp } from './wanted-dhcp.ts'
import { wantedL2 } from './wanted-l2.ts'
import { workTogether } from './work-together.ts'

export function serverMethods(deps: WorkDeps, mechanisms: readonly MechanismDriver[]): ServerMethods {
  const { db, options } = deps
  const now = () => timestamp(deps.clock)
  const together = workTogether(deps)
  return {
    reportState: (report) => inWork(deps, (work) => reportState(work, mechanisms, report)),
    wantedL2: (args) => wantedL2({ db, options, now }, args),
    portsChanged: ({ host, up, down }) => together((work) => portsChanged(work, host, up, down)),
    wantedDhcp: (args) => wantedDhcp({ db, options }, args),
    ensureDhcpPort: ({ host, networkId }) =>
      inWork(deps, (work) => ensureDhcpPort(work, mechanisms, host, networkId)),
    releaseDhcpPort: ({ host, networkId }) => inWork(deps, (work) => releaseDhcpPort(work, host, networkId)),
    dhcpReady: ({ portIds }) => together((work) => completeProvisioning(work, portIds, 'DHCP')),
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

// A port that moved on is no business of the host that it left.
async function portsChanged(
  work: Work,
  host: string,
  up: readonly string[],
  down: readonly string[],
): Promise<void> {
  const rows = await lockBindings(work.db, [...up, ...down])
  const here = new Set(rows.filter((row) => row.host === host).map((row) => row.port_id))
  for (const id of down) {
    if (!here.has(id)) continue
    await awaitWiring(work, id)
    await setPortStatus(work, id, 'DOWN')
  }
  await completeLocked(
    work,
    up.filter((id) => here.has(id)),
    'L2',
  )
}

/** Serves the agents' calls over the bus. */
export const serveAgents = (bus: Bus, methods: ServerMethods, server: string): Promise<AsyncDisposable> =>
  bus.serve({ topic: serverTopic, server }, { ...methods })
