/**
 * `service_plugins`: what neutron-server has beside networks, subnets and ports. What neutron loads in any case Kilonova
 * always has, named or not; a plugin that is not there stops the start, since its users would find nothing of it.
 */
import type { OptionType } from '../../base/config/option.ts'

/** Neutron's own, under the names and classes that its packages register. */
const always = {
  auto_allocate: 'neutron.services.auto_allocate.plugin.Plugin',
  flavors: 'neutron.services.flavors.flavors_plugin.FlavorsPlugin',
  network_ip_availability: 'neutron.services.network_ip_availability.plugin.NetworkIPAvailabilityPlugin',
  revisions: 'neutron.services.revisions.revision_plugin.RevisionPlugin',
  tag: 'neutron.services.tag.tag_plugin.TagPlugin',
  timestamp: 'neutron.services.timestamp.timestamp_plugin.TimeStampPlugin',
} as const

/** Those that Kilonova does not have, and what is absent without them. */
const absent: Readonly<Record<string, { className: string; what: string }>> = {
  router: {
    className: 'neutron.services.l3_router.l3_router_plugin.L3RouterPlugin',
    what: 'routers and floating IPs',
  },
  'ovn-router': { className: 'neutron.services.ovn_l3.plugin.OVNL3RouterPlugin', what: 'routers of OVN' },
  port_forwarding: {
    className: 'neutron.services.portforwarding.pf_plugin.PortForwardingPlugin',
    what: 'forwarding of ports of floating IPs',
  },
  conntrack_helper: {
    className: 'neutron.services.conntrack_helper.plugin.Plugin',
    what: 'conntrack helpers of routers',
  },
  ndp_proxy: {
    className: 'neutron.services.ndp_proxy.plugin.NDPProxyPlugin',
    what: 'NDP proxies of routers',
  },
  qos: { className: 'neutron.services.qos.qos_plugin.QoSPlugin', what: 'QoS policies' },
  trunk: { className: 'neutron.services.trunk.plugin.TrunkPlugin', what: 'trunks' },
  segments: { className: 'neutron.services.segments.plugin.Plugin', what: 'routed provider networks' },
  network_segment_range: {
    className: 'neutron.services.network_segment_range.plugin.NetworkSegmentRangePlugin',
    what: 'ranges of segments by API',
  },
  metering: { className: 'neutron.services.metering.metering_plugin.MeteringPlugin', what: 'metering' },
  local_ip: { className: 'neutron.services.local_ip.local_ip_plugin.LocalIPPlugin', what: 'local IPs' },
  log: { className: 'neutron.services.logapi.logging_plugin.LoggingPlugin', what: 'logs of security groups' },
  placement: {
    className: 'neutron.services.placement_report.plugin.PlacementReportPlugin',
    what: 'bandwidth in placement',
  },
}

/** One name of the list: read as the plugin's short name. */
export const servicePlugin: OptionType<string> = {
  name: 'service plugin',
  choices: Object.keys(always),
  parse(text) {
    for (const [name, className] of Object.entries(always)) {
      if (text === name || text === className) return name
    }
    for (const [name, { className, what }] of Object.entries(absent)) {
      if (text !== name && text !== className) continue
      throw new Error(
        `names ${text}, but Kilonova has no ${what}; take it out, and neutron-server starts without`,
      )
    }
    throw new Error(`names ${text}, which is no service plugin; there are ${Object.keys(always).join(', ')}`)
  },
}
