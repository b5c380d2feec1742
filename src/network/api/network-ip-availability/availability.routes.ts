/** How many addresses each network has and uses (`/v2.0/network-ip-availabilities`). */
import { sql } from 'kysely'
import type { Db } from '../../../base/db/database.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { python } from '../../../base/http/validate.ts'
import { badRequest, unknown } from '../../errors.ts'
import { parseIp } from '../../ipam/ip.ts'
import { groupBy } from '../../store/slices.ts'
import type { Tables } from '../../store/tables.ts'
import { listOf } from '../query.ts'
import type { ApiDeps } from '../resource.ts'

const policy = 'network_api'

export const ipAvailabilityRoutes: readonly Route<ApiDeps>[] = [
  {
    get: '/v2.0/network-ip-availabilities',
    policy,
    handler: async (request, deps) => {
      if (!request.can('get_network_ip_availability')) return { network_ip_availabilities: [] }
      return { network_ip_availabilities: await readAvailabilities(deps.db, readFilters(request)) }
    },
  },
  {
    get: '/v2.0/network-ip-availabilities/:id',
    policy,
    handler: async (request, deps) => {
      const id = request.params['id']!
      const allowed = request.can('get_network_ip_availability')
      const [found] = allowed ? await readAvailabilities(deps.db, { network_id: [id] }) : []
      if (found === undefined) throw unknown.network(id)
      return { network_ip_availability: found }
    },
  },
]

interface Filters {
  network_id?: string[]
  network_name?: string[]
  project_id?: string[]
  ip_version?: string[]
}

function readFilters(request: ApiRequest): Filters {
  const filters: Filters = {}
  const refused: string[] = []
  for (const [name, value] of Object.entries(request.query)) {
    const key = name === 'tenant_id' ? 'project_id' : name
    if (key === 'network_id' || key === 'network_name' || key === 'project_id' || key === 'ip_version')
      filters[key] = listOf(value)
    else if (!['fields', 'sort_key', 'sort_dir', 'limit', 'marker', 'page_reverse'].includes(name))
      refused.push(name)
  }
  if (refused.length > 0) throw badRequest(`${python(refused)} is invalid attribute for filtering`)
  return filters
}

const columns: Readonly<Record<keyof Filters, string>> = {
  network_id: 'n.id',
  network_name: 'n.name',
  project_id: 'n.project_id',
  ip_version: 's.ip_version',
}

interface Row {
  network_id: string
  network_name: string
  project_id: string
  subnet_id: string | null
  subnet_name: string
  cidr: string
  ip_version: number
  used_ips: number
}

async function readAvailabilities(db: Db<Tables>, filters: Filters) {
  const conditions = Object.entries(filters).map(
    ([key, values]) =>
      sql<boolean>`${sql.ref(columns[key as keyof Filters])} in (${sql.join(key === 'ip_version' ? values.map(Number) : values)})`,
  )
  const where = conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`
  const { rows } = await sql<Row>`
    select n.id as network_id, n.name as network_name, n.project_id, s.id as subnet_id, s.name as subnet_name,
      s.cidr, s.ip_version, (select count(*) from ipallocations i where i.subnet_id = s.id) as used_ips
    from networks n left join subnets s on s.network_id = n.id ${where} order by n.id, s.id`.execute(db)
  const totals = await readTotals(db)
  return [...groupBy(rows, (row) => row.network_id).values()].map((of) => {
    const subnets = of
      .filter((row) => row.subnet_id !== null)
      .map((row) => ({
        subnet_id: row.subnet_id,
        subnet_name: row.subnet_name,
        cidr: row.cidr,
        ip_version: row.ip_version,
        used_ips: Number(row.used_ips),
        total_ips: totals.get(row.subnet_id!) ?? 0,
      }))
    const [first] = of
    return {
      network_id: first!.network_id,
      network_name: first!.network_name,
      project_id: first!.project_id,
      tenant_id: first!.project_id,
      total_ips: subnets.reduce((sum, subnet) => sum + subnet.total_ips, 0),
      used_ips: subnets.reduce((sum, subnet) => sum + subnet.used_ips, 0),
      subnet_ip_availability: subnets,
    }
  })
}

/** Sizes of the subnets' pools. An IPv6 pool has more addresses than a JSON number can count exactly. */
async function readTotals(db: Db<Tables>): Promise<Map<string, number>> {
  const pools = await db.selectFrom('ipallocationpools').selectAll().execute()
  const totals = new Map<string, number>()
  for (const pool of pools) {
    const size = parseIp(pool.last_ip)!.value - parseIp(pool.first_ip)!.value + 1n
    totals.set(pool.subnet_id, (totals.get(pool.subnet_id) ?? 0) + Number(size))
  }
  return totals
}
