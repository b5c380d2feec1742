import type { Attributes, Check } from '../attributes.ts'
import * as check from '../checks.ts'
import { nullToList, toBoolean, toCanonicalCidr, toCanonicalIp, toInteger } from '../converters.ts'
import {
  idAttribute,
  nameAttribute,
  ownerAttributes,
  standardAttributes,
  tagsAttribute,
} from '../standard-attributes.ts'

const modes = ['dhcpv6-stateful', 'dhcpv6-stateless', 'slaac']

const poolList: Check = (value) => {
  if (!Array.isArray(value)) return `Invalid data format for IP pool: '${String(value)}'`
  for (const pool of value as Record<string, unknown>[]) {
    const reason =
      check.keys('start', 'end')(pool) ?? check.ipAddress(pool['start']) ?? check.ipAddress(pool['end'])
    if (reason !== undefined) return reason
  }
  return undefined
}

const nameservers: Check = (value) => {
  if (!Array.isArray(value)) return `Invalid data format for nameserver: '${String(value)}'`
  for (const [index, host] of value.entries()) {
    const reason = check.ipAddress(host)
    if (reason !== undefined) return `'${String(host)}' is not a valid nameserver. ${reason}`
    if (value.indexOf(host) < index) return `Duplicate nameserver '${String(host)}'`
  }
  return undefined
}

const hostRoutes: Check = (value) => {
  if (!Array.isArray(value)) return `Invalid data format for hostroute: '${String(value)}'`
  const seen = new Set<string>()
  for (const route of value as Record<string, unknown>[]) {
    const reason =
      check.keys('destination', 'nexthop')(route) ??
      check.routeCidr(route['destination']) ??
      check.ipAddress(route['nexthop'])
    if (reason !== undefined) return reason
    const text = `${route['destination']} ${route['nexthop']}`
    if (seen.has(text)) return `Duplicate hostroute '${text}'`
    seen.add(text)
  }
  return undefined
}

export const subnetAttributes: Attributes = {
  ...idAttribute,
  ...nameAttribute,
  ip_version: {
    post: true,
    required: true,
    convert: toInteger,
    check: check.oneOf(4, 6),
    filter: true,
    sort: true,
  },
  network_id: { post: true, required: true, check: check.uuid, filter: true, sort: true },
  subnetpool_id: { post: true, check: check.orNull(check.uuid), filter: true, sort: true },
  use_default_subnetpool: {
    post: true,
    default: false,
    convert: toBoolean,
    hidden: true,
    extension: 'default-subnetpools',
  },
  prefixlen: { post: true, convert: toInteger, check: check.nonNegative, hidden: true },
  cidr: {
    post: true,
    convert: (value) => (value === null ? null : toCanonicalCidr(value)),
    check: check.orNull(check.subnet),
    filter: true,
    sort: true,
  },
  gateway_ip: {
    post: true,
    put: true,
    convert: toCanonicalIp,
    check: check.orNull(check.ipAddress),
    filter: true,
    sort: true,
  },
  allocation_pools: { post: true, put: true, check: poolList },
  dns_nameservers: { post: true, put: true, convert: nullToList, check: nameservers },
  host_routes: { post: true, put: true, convert: nullToList, check: hostRoutes },
  ...ownerAttributes,
  enable_dhcp: { post: true, put: true, default: true, convert: toBoolean, filter: true, sort: true },
  ipv6_ra_mode: { post: true, check: check.oneOf(...modes), filter: true, sort: true },
  ipv6_address_mode: { post: true, check: check.oneOf(...modes), filter: true, sort: true },
  service_types: {
    post: true,
    put: true,
    check: check.listOf(check.text(255)),
    policy: true,
    extension: 'subnet-service-types',
  },
  shared: { hidden: true, filter: true, convert: toBoolean },
  ...standardAttributes,
  ...tagsAttribute,
}
