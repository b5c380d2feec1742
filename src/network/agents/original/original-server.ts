/** OpenStack's own neutron-server as our agents call it: each question is put in its words, each answer in ours. */
import type { Bus } from '../../../base/bus/bus.ts'
import { timestamp } from '../../../base/clock.ts'
import { Fault } from '../../../base/errors.ts'
import type { AgentReport, ServerMethods } from '../../rpc/agents.ts'
import { dhcpDeviceId } from '../../rpc/dhcp-device-id.ts'
import { type ApiPort, type Ask, asker, resourceVersions } from './messages.ts'
import { ensureDhcpPort, wantedDhcp } from './wanted-dhcp.ts'
import { wantedL2 } from './wanted-l2.ts'

export function originalServer(bus: Bus): ServerMethods {
  const ask = asker(bus)
  return {
    reportState: (report) => reportState(ask, report),
    wantedL2: ({ host }) => wantedL2(ask, host),
    portsChanged: (change) => portsChanged(ask, change),
    wantedDhcp: ({ host }) => wantedDhcp(ask, host),
    ensureDhcpPort: ({ host, networkId }) => ensureDhcpPort(ask, host, networkId),
    async releaseDhcpPort({ host, networkId }) {
      const device = dhcpDeviceId(host, networkId)
      await ask('release_dhcp_port', { host, network_id: networkId, device_id: device })
    },
    async dhcpReady({ portIds }) {
      await ask('dhcp_ready_on_ports', { port_ids: portIds })
    },
    async findPort({ networkId, ipAddress }) {
      const filters = { network_id: [networkId], fixed_ips: { ip_address: [ipAddress] } }
      const [port] = await ask<ApiPort[]>('get_ports', { filters })
      if (port === undefined || port.device_id === '') return null
      return { deviceId: port.device_id, projectId: port.project_id }
    },
  }
}

async function reportState(ask: Ask, report: AgentReport): Promise<{ known: boolean }> {
  const state = {
    agent_type: report.agentType,
    binary: report.binary,
    host: report.host,
    topic: report.topic,
    configurations: report.configurations,
    ...(report.availabilityZone === undefined ? {} : { availability_zone: report.availabilityZone }),
    ...(report.started ? { start_flag: true } : {}),
    ...(report.agentType === 'Linux bridge agent' ? { resource_versions: resourceVersions } : {}),
  }
  // Microseconds, and no zone.
  const time = timestamp().replace('Z', '000')
  const status = await ask<string | null>('report_state', { agent_state: { agent_state: state }, time })
  return { known: status === 'alive' }
}

interface Updated {
  failed_devices_up: string[]
  failed_devices_down: string[]
}

async function portsChanged(
  ask: Ask,
  { host, up, down }: { host: string; up: string[]; down: string[] },
): Promise<void> {
  const updated = await ask<Updated>('update_device_list', {
    devices_up: up,
    devices_down: down,
    agent_id: host,
    host,
  })
  const failed = [...updated.failed_devices_up, ...updated.failed_devices_down]
  if (failed.length === 0) return
  throw new Fault(
    'unavailable',
    `neutron-server could not note ports ${failed.join(', ')}: its log says why.`,
  )
}
