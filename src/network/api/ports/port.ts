/** Ports (`/v2.0/ports`). */
import { sql } from 'kysely'
import type { Db } from '../../../base/db/database.ts'
import type { NetworkOptions } from '../../config.ts'
import { unknown } from '../../errors.ts'
import { createPort } from '../../ml2/create-port.ts'
import { deletePort } from '../../ml2/delete-port.ts'
import type { MechanismDriver } from '../../ml2/mechanism-driver.ts'
import type { NewPort, PortChanges } from '../../ml2/port-values.ts'
import { updatePort } from '../../ml2/update-port.ts'
import type { PortRow, Tables } from '../../store/tables.ts'
import type { Values } from '../attributes.ts'
import type { Caller } from '../caller.ts'
import { toMac, toPairs } from '../converters.ts'
import { networkFacts } from '../network-facts.ts'
import type { Condition, Resource } from '../resource.ts'
import { portAttributes } from './port.attributes.ts'
import { viewPort, viewPorts } from './port.view.ts'

export function portResource(
  mechanisms: readonly MechanismDriver[],
  options: NetworkOptions,
): Resource<PortRow> {
  return {
    name: 'port',
    collection: 'ports',
    path: 'ports',
    table: 'ports',
    counted: true,
    standard: true,
    tagged: true,
    attributes: portAttributes(options),
    unknown: unknown.port,
    filters: {
      fixed_ips: byAddress,
      security_groups: (values) =>
        sql<boolean>`ports.id in (select port_id from securitygroupportbindings where security_group_id in (${sql.join(values)}))`,
      'binding:host_id': (values) => onBinding('host', values),
      'binding:vnic_type': (values) => onBinding('vnic_type', values),
      mac_address: (values) =>
        sql<boolean>`ports.mac_address in (${sql.join(values.map((value) => toMac(value)))})`,
    },
    visible: (caller) =>
      sql<boolean>`(ports.project_id = ${caller.projectId} or ports.network_id in (select id from networks where project_id = ${caller.projectId}))`,
    view: viewPorts,
    facts: (db: Db<Tables>, ports: readonly Values[], caller: Caller) => networkFacts(db, ports, caller),
    extraRules: (action, sent) => addressRules(action, sent),
    create: async (work, values, caller) => {
      const { row, parts } = await createPort(work, mechanisms, values as unknown as NewPort, caller)
      return parts === undefined ? row.id : { view: (context) => viewPort(row, parts, context) }
    },
    update: (work, row, values, caller) => updatePort(work, mechanisms, row, values as PortChanges, caller),
    remove: deletePort,
  }
}

const onBinding = (column: string, values: readonly string[]): Condition =>
  sql<boolean>`ports.id in (select port_id from ml2_port_bindings where ${sql.ref(column)} in (${sql.join(values)}))`

/** `fixed_ips=ip_address=10.0.0.5&fixed_ips=subnet_id=…`, and parts of addresses by `ip_address_substr`. */
function byAddress(values: readonly string[]): Condition {
  const pairs = toPairs(values)
  const conditions: Condition[] = []
  const addresses = pairs.get('ip_address')
  const subnets = pairs.get('subnet_id')
  if (addresses !== undefined) conditions.push(sql<boolean>`ip_address in (${sql.join(addresses)})`)
  if (subnets !== undefined) conditions.push(sql<boolean>`subnet_id in (${sql.join(subnets)})`)
  const found = conditions.map(
    (condition) => sql<boolean>`ports.id in (select port_id from ipallocations where ${condition})`,
  )
  for (const part of pairs.get('ip_address_substr') ?? []) {
    const pattern = `%${part.replaceAll(/[%_]/g, '')}%`
    found.push(sql<boolean>`ports.id in (select port_id from ipallocations where ip_address like ${pattern})`)
  }
  return found.length === 0 ? sql<boolean>`1 = 1` : sql<boolean>`(${sql.join(found, sql` and `)})`
}

// Naming an address is more than naming a subnet, so each has a rule of its own.
function addressRules(action: string, sent: Values): string[] {
  const ips = sent['fixed_ips']
  if (!Array.isArray(ips)) return []
  const names = new Set(ips.flatMap((ip: object) => Object.keys(ip)))
  return ['ip_address', 'subnet_id']
    .filter((name) => names.has(name))
    .map((name) => `${action}_port:fixed_ips:${name}`)
}
