import type { NetworkOptions } from '../../config.ts'
import { canonicalIp } from '../../ipam/ip.ts'
import { randomMac } from '../../ml2/port-parts.ts'
import type { Attributes } from '../attributes.ts'
import * as check from '../checks.ts'
import { nullToList, toBoolean, toLowerCase, toMac } from '../converters.ts'
import {
  idAttribute,
  nameAttribute,
  ownerAttributes,
  standardAttributes,
  tagsAttribute,
} from '../standard-attributes.ts'
import { addressPairs, dhcpOptions, fixedIps } from './port.checks.ts'

const vnicTypes = [
  'normal',
  'direct',
  'macvtap',
  'baremetal',
  'direct-physical',
  'virtio-forwarder',
  'smart-nic',
  'vdpa',
  'accelerator-direct',
  'accelerator-direct-physical',
  'remote-managed',
]

export const portAttributes = (options: NetworkOptions): Attributes => ({
  ...idAttribute,
  ...nameAttribute,
  network_id: { post: true, required: true, check: check.uuid, filter: true, sort: true },
  ...ownerAttributes,
  mac_address: {
    post: true,
    put: true,
    // Null asks for a fresh one.
    convert: (value) => (value === null ? randomMac(options.baseMac) : toMac(value)),
    check: check.mac,
    filter: true,
    sort: true,
    policy: true,
  },
  admin_state_up: { post: true, put: true, default: true, convert: toBoolean, filter: true, sort: true },
  status: { filter: true, sort: true },
  device_id: { post: true, put: true, default: '', check: check.text(255), filter: true, sort: true },
  device_owner: {
    post: true,
    put: true,
    default: '',
    check: check.text(255),
    filter: true,
    sort: true,
    policy: true,
  },
  fixed_ips: {
    post: true,
    put: true,
    convert: toCanonicalIps,
    check: fixedIps,
    filter: true,
    policy: true,
  },
  allowed_address_pairs: {
    post: true,
    put: true,
    convert: nullToList,
    check: addressPairs(options.maxAllowedAddressPair),
    policy: true,
    extension: 'allowed-address-pairs',
  },
  extra_dhcp_opts: { post: true, put: true, check: dhcpOptions, extension: 'extra_dhcp_opt' },
  security_groups: {
    post: true,
    put: true,
    convert: nullToList,
    check: check.listOf(check.uuid),
    filter: true,
    extension: 'security-group',
  },
  port_security_enabled: {
    post: true,
    put: true,
    convert: toBoolean,
    policy: true,
    extension: 'port-security',
  },
  'binding:vnic_type': {
    post: true,
    put: true,
    default: 'normal',
    check: check.oneOf(...vnicTypes),
    filter: true,
    policy: true,
    extension: 'binding',
  },
  'binding:profile': {
    post: true,
    put: true,
    check: check.orNull(check.dictionary),
    policy: true,
    extension: 'binding',
  },
  'binding:host_id': {
    post: true,
    put: true,
    check: check.orNull(check.text(255)),
    filter: true,
    policy: true,
    extension: 'binding',
  },
  'binding:vif_type': { extension: 'binding' },
  'binding:vif_details': { extension: 'binding' },
  dns_name: {
    post: true,
    put: true,
    default: '',
    convert: toLowerCase,
    check: check.dnsName(255),
    filter: true,
    extension: 'dns-integration',
  },
  // Concerns devices of the host's own that a guest is given; on a bridge there is no near and far.
  numa_affinity_policy: {
    post: true,
    put: true,
    default: null,
    check: check.orNull(check.oneOf('required', 'preferred', 'legacy')),
    extension: 'port-numa-affinity-policy',
  },
  dns_assignment: { extension: 'dns-integration' },
  ip_allocation: { filter: true, sort: true, extension: 'ip_allocation' },
  ...standardAttributes,
  ...tagsAttribute,
})

function toCanonicalIps(value: unknown): unknown {
  if (value === null) return []
  if (!Array.isArray(value)) return value
  return value.map((item: unknown) => {
    if (check.dictionary(item) !== undefined) return item
    const ip = { ...(item as Record<string, unknown>) }
    // Null for a part means that it is not asked for.
    for (const key of Object.keys(ip)) if (ip[key] === null) delete ip[key]
    if (typeof ip['ip_address'] === 'string') ip['ip_address'] = canonicalIp(ip['ip_address'])
    return ip
  })
}
