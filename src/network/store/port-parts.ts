/** The tables of what belongs to ports. */
import { type Compilable, type RawBuilder, sql } from 'kysely'
import type { Db } from '../../base/db/database.ts'
import { byIds } from './by-ids.ts'
import type { AddressPairRow, ExtraDhcpOptionRow, PortBindingRow, Tables } from './tables.ts'

/**
 * The bindings of ports, for a change of these ports: who else changes or deletes one of them waits until this
 * transaction ended, so that the hosts and groups which it notes for agents are those that there are.
 */
export const lockBindings = byIds((db, portIds) =>
  db
    .selectFrom('ml2_port_bindings')
    .selectAll()
    .where('port_id', 'in', portIds)
    .orderBy('port_id')
    .forUpdate(),
)

/** An address of a port, with the CIDR of its subnet. */
export interface PortAddress {
  subnetId: string
  ipAddress: string
  cidr: string
}

/** What belongs to one port, each list in its order; what was not asked for is empty. */
export interface PortParts {
  addresses: PortAddress[]
  /** Ids of security groups. */
  groups: string[]
  pairs: Pick<AddressPairRow, 'mac_address' | 'ip_address'>[]
  options: Pick<ExtraDhcpOptionRow, 'opt_name' | 'opt_value' | 'ip_version'>[]
  binding: Omit<PortBindingRow, 'port_id'> | undefined
  tags: string[]
}

/** As the API shows them: without the subnets' CIDRs. */
export interface ShownParts extends Omit<PortParts, 'addresses'> {
  addresses: Pick<PortAddress, 'subnetId' | 'ipAddress'>[]
}

export type PartKind = 'address' | 'group' | 'pair' | 'option' | 'binding' | 'tag'

/** A row of any of the tables; columns that a table does not need are empty. */
interface PartRow {
  kind: PartKind
  port_id: string
  place: number
  one: string
  two: string
  three: string
  four: string
  five: string
  six: string | null
}

type Ids = RawBuilder<unknown>

// The left join has MariaDB begin with the addresses of the ports, and not with all those of some subnet.
const rowsOf: Record<PartKind, (ids: Ids) => RawBuilder<PartRow>> = {
  address: (ids) => sql`
    select 'address' as kind, a.port_id as port_id, a.position as place, a.subnet_id as one, a.ip_address as two,
      s.cidr as three, '' as four, '' as five, '' as six
    from ipallocations a left join subnets s on s.id = a.subnet_id where a.port_id in (${ids})`,
  group: (ids) => sql`
    select 'group' as kind, port_id, 0 as place, security_group_id as one, '' as two, '' as three, '' as four,
      '' as five, '' as six
    from securitygroupportbindings where port_id in (${ids})`,
  pair: (ids) => sql`
    select 'pair' as kind, port_id, 0 as place, mac_address as one, ip_address as two, '' as three, '' as four,
      '' as five, '' as six
    from allowedaddresspairs where port_id in (${ids})`,
  option: (ids) => sql`
    select 'option' as kind, port_id, ip_version as place, opt_name as one, opt_value as two, '' as three, '' as four,
      '' as five, '' as six
    from extradhcpopts where port_id in (${ids})`,
  binding: (ids) => sql`
    select 'binding' as kind, port_id, 0 as place, host as one, vif_type as two, vnic_type as three,
      vif_details as four, profile as five, segment_id as six
    from ml2_port_bindings where port_id in (${ids})`,
  tag: (ids) => sql`
    select 'tag' as kind, resource_id as port_id, 0 as place, tag as one, '' as two, '' as three, '' as four,
      '' as five, '' as six
    from tags where resource_id in (${ids})`,
}

// One read of several short tables: most ports have little in any of them. Sorted afterwards, since a database would
// make a table of its own of them for that.
const readerOf = (kinds: readonly PartKind[]) =>
  byIds((db, ids): Compilable<PartRow> => {
    const rows = sql<PartRow>`${sql.join(
      kinds.map((kind) => rowsOf[kind](sql.join(ids))),
      sql` union all `,
    )}`
    return { compile: () => rows.compile(db) }
  })

const readers = new Map<string, ReturnType<typeof readerOf>>()

const byText = (one: string, other: string): number => (one < other ? -1 : Number(one > other))

/** Reads these kinds of parts of ports at once; returns a function that gives those of one of them. */
export async function partsOfPorts(
  db: Db<Tables>,
  portIds: readonly string[],
  kinds: readonly PartKind[],
): Promise<(portId: string) => PortParts> {
  const found = new Map<string, PortParts>()
  if (portIds.length > 0 && kinds.length > 0) {
    let read = readers.get(kinds.join())
    if (read === undefined) {
      read = readerOf(kinds)
      readers.set(kinds.join(), read)
    }
    const rows = await read(db, portIds)
    rows.sort((a, b) => a.place - b.place || byText(a.one, b.one) || byText(a.two, b.two))
    for (const row of rows) {
      let parts = found.get(row.port_id)
      if (parts === undefined) {
        parts = noParts()
        found.set(row.port_id, parts)
      }
      addPart(parts, row)
    }
  }
  return (portId) => found.get(portId) ?? noParts()
}

export const noParts = (): PortParts => ({
  addresses: [],
  groups: [],
  pairs: [],
  options: [],
  binding: undefined,
  tags: [],
})

function addPart(parts: PortParts, row: PartRow): void {
  const { one, two, three } = row
  if (row.kind === 'address') parts.addresses.push({ subnetId: one, ipAddress: two, cidr: three })
  else if (row.kind === 'group') parts.groups.push(one)
  else if (row.kind === 'pair') parts.pairs.push({ mac_address: one, ip_address: two })
  else if (row.kind === 'option') parts.options.push({ opt_name: one, opt_value: two, ip_version: row.place })
  else if (row.kind === 'tag') parts.tags.push(one)
  else
    parts.binding = {
      host: one,
      vif_type: two,
      vnic_type: three,
      vif_details: row.four,
      profile: row.five,
      segment_id: row.six,
    }
}
