/** neutron-server as agents call it: what they ask and what they report. */
import type { Bus } from '../../base/bus/bus.ts'
import { timestamp } from '../../base/clock.ts'
import type { MechanismDriver } from '../ml2/mechanism-driver.ts'
import { awaitWiring, completeProvisioning, setPortStatus } from '../ml2/provisioning.ts'
import { inWork, type WorkDeps } from '../work.ts'
import { type ServerMethods, serverTopic } from './agents.ts'
import { ensureDhcpPort, releaseDhcpPort } from './dhcp-ports.ts'
import { reportState } from './report-state.ts'
import { wantedDhcp } from './wanted-dhcp.ts'
import { wantedL2 } from './wanted-l2.ts'

export function serverMethods(deps: WorkDeps, mechanisms: readonly MechanismDriver[]): ServerMethods {
  const { db, options } = deps
  const now = () => timestamp(deps.clock)
  return {
    reportState: (report) => inWork(deps, (work) => reportState(work, mechanisms, report)),
    wantedL2: (args) => wantedL2({ db, options, now }, args),
    portsChanged: ({ host, up, down }) => portsChanged(deps, host, up, down),
    wantedDhcp: (args) => wantedDhcp({ db, options }, args),
    ensureDhcpPort: ({ host, networkId }) =>
      inWork(deps, (work) => ensureDhcpPort(work, mechanisms, host, networkId)),
    releaseDhcpPort: ({ host, networkId }) => inWork(deps, (work) => releaseDhcpPort(work, host, networkId)),
    dhcpReady: ({ portIds }) => inWork(deps, (work) => completeProvisioning(work, portIds, 'DHCP')),
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
  deps: WorkDeps,
  host: string,
  up: readonly string[],
  down: readonly string[],
): Promise<void> {
  await inWork(deps, async (work) => {
    const ids = [...up, ...down]
    if (ids.length === 0) return
    const rows = await work.db
      .selectFrom('ml2_port_bindings')
      .select('port_id')
      .where('host', '=', host)
      .where('port_id', 'in', ids)
      .execute()
    const here = new Set(rows.map((row) => row.port_id))
    for (const id of down) {
      if (!here.has(id)) continue
      await awaitWiring(work, id)
      await setPortStatus(work, id, 'DOWN')
    }
    await completeProvisioning(
      work,
      up.filter((id) => here.has(id)),
      'L2',
    )
  })
}

/** Serves the agents' calls over the bus. */
export const serveAgents = (bus: Bus, methods: ServerMethods, server: string): Promise<AsyncDisposable> =>
  bus.serve({ topic: serverTopic, server }, { ...methods })
