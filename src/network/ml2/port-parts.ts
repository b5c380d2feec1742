/** The parts of a port that are kept in tables of their own. */
import { insertStatement } from '../../base/db/statement.ts'
import { newUuid } from '../../base/ids.ts'
import { conflict, invalid, neutronFault, unknown } from '../errors.ts'
import { canonicalIp } from '../ipam/ip.ts'
import { sharedWith } from '../store/rbac-policies.ts'
import type { Tables } from '../store/tables.ts'
import type { Work } from '../work.ts'
import type { AddressPair, DhcpOption } from './port-values.ts'

/** Ports of the network itself (DHCP, routers) are not filtered. */
export const isTrusted = (deviceOwner: string): boolean => deviceOwner.startsWith('network:')

/** Throws unless the port's project may use all these groups. */
export async function assertGroups(
  work: Work,
  groupIds: readonly string[],
  projectId: string,
  admin: boolean,
): Promise<void> {
  if (groupIds.length === 0) return
  const ids = [...new Set(groupIds)]
  let query = work.db.selectFrom('securitygroups').select(['id', 'stateful']).where('id', 'in', ids)
  if (!admin) {
    const shared = sharedWith('securitygroups.id', projectId, ['access_as_shared'])
    query = query.where((eb) => eb.or([eb('project_id', '=', projectId), shared]))
  }
  const found = await query.execute()
  const known = new Set(found.map((row) => row.id))
  for (const id of ids) if (!known.has(id)) throw unknown.securityGroup(id)
  if (new Set(found.map((row) => row.stateful)).size > 1) {
    throw conflict(
      'SecurityGroupConflict',
      'Error Cannot apply both stateful and stateless security groups on the same port at the same time while attempting the operation.',
    )
  }
}

export async function replaceGroups(work: Work, portId: string, groupIds: readonly string[]): Promise<void> {
  await work.db.deleteFrom('securitygroupportbindings').where('port_id', '=', portId).execute()
  await insertGroups(work, portId, groupIds)
}

const insertMembership = insertStatement<Tables, 'securitygroupportbindings'>('securitygroupportbindings')

export async function insertGroups(work: Work, portId: string, groupIds: readonly string[]): Promise<void> {
  for (const id of new Set(groupIds))
    await insertMembership(work.db, { port_id: portId, security_group_id: id })
}

/** Port security, groups, pairs and addresses must fit each other. */
export function assertSecurity(port: {
  portSecurity: boolean
  groups: readonly string[]
  pairs: readonly AddressPair[]
  hasAddress: boolean
  groupsSent: boolean
}): void {
  if (!port.portSecurity && port.groups.length > 0) {
    throw port.groupsSent
      ? invalid(
          'PortSecurityAndIPRequiredForSecurityGroups',
          'Port security must be enabled and port must have an IP address in order to use security groups.',
        )
      : conflict(
          'PortSecurityPortHasSecurityGroup',
          'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
        )
  }
  if (!port.portSecurity && port.pairs.length > 0) {
    throw conflict(
      'AddressPairAndPortSecurityRequired',
      'Port Security must be enabled in order to have allowed address pairs on a port.',
    )
  }
}

export async function replacePairs(
  work: Work,
  port: { id: string; macAddress: string },
  pairs: readonly AddressPair[],
): Promise<void> {
  await work.db.deleteFrom('allowedaddresspairs').where('port_id', '=', port.id).execute()
  const rows = pairs.map((pair) => ({
    port_id: port.id,
    mac_address: pair.mac_address ?? port.macAddress,
    ip_address: canonicalPair(pair.ip_address),
  }))
  const texts = new Set<string>()
  for (const row of rows) {
    if (texts.has(`${row.mac_address} ${row.ip_address}`)) {
      throw neutronFault(
        'invalid',
        'DuplicateAddressPairInRequest',
        `Request contains duplicate address pair: mac_address ${row.mac_address} ip_address ${row.ip_address}.`,
      )
    }
    texts.add(`${row.mac_address} ${row.ip_address}`)
  }
  if (rows.length > 0) await work.db.insertInto('allowedaddresspairs').values(rows).execute()
}

function canonicalPair(text: string): string {
  const [address, prefix] = text.split('/')
  return prefix === undefined ? canonicalIp(address!) : `${canonicalIp(address!)}/${prefix}`
}

/** Options with a value replace those of the same name, options without one remove them. */
export async function mergeDhcpOptions(
  work: Work,
  portId: string,
  options: readonly DhcpOption[],
): Promise<void> {
  for (const option of options) {
    const version = option.ip_version ?? 4
    await work.db
      .deleteFrom('extradhcpopts')
      .where('port_id', '=', portId)
      .where('opt_name', '=', option.opt_name)
      .where('ip_version', '=', version)
      .execute()
    if (option.opt_value === null) continue
    await work.db
      .insertInto('extradhcpopts')
      .values({
        id: newUuid(),
        port_id: portId,
        opt_name: option.opt_name,
        opt_value: option.opt_value,
        ip_version: version,
      })
      .execute()
  }
}

/** A MAC of the deployment's range; the first three octets are the vendor's, or four when the base has four. */
export function randomMac(base: string): string {
  const octets = base.split(':')
  const kept = octets[3] === '00' ? 3 : 4
  return octets
    .map((octet, index) =>
      index < kept
        ? octet
        : Math.floor(Math.random() * 256)
            .toString(16)
            .padStart(2, '0'),
    )
    .join(':')
}
