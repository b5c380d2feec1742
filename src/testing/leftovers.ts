import type { Person } from './cloud-people.ts'
import { ok } from './first-things.ts'
import type { Running } from './world.ts'

/** Names everything that a server holds anywhere; empty when nothing of it is left. */
export async function leftoversOf(serverId: string, running: Running, admin: Person): Promise<string[]> {
  const found: string[] = []
  const { apiDb, cells } = running.services.compute
  const { ports } = ok(await admin.network('GET', `/ports?device_id=${serverId}`))
  for (const port of ports) found.push(`port ${port.id}`)
  for (const { host, driver, network } of running.hosts) {
    if ((await driver.guestState(serverId)) !== undefined) found.push(`guest on ${host}`)
    for (const name of (await network.links()).keys()) {
      const isOfNoPort = name.startsWith('tap') && !(await isTapOfPort(admin, name))
      if (isOfNoPort) found.push(`tap ${name} on ${host}`)
    }
  }
  const { allocations } = ok(await admin.placement('GET', `/allocations/${serverId}`))
  if (Object.keys(allocations).length > 0) found.push('allocations')
  const flows = await apiDb
    .selectFrom('flows')
    .select('kind')
    .where('subject', '=', `server:${serverId}`)
    .execute()
  for (const { kind } of flows) found.push(`flow ${kind}`)
  const requests = await apiDb
    .selectFrom('build_requests')
    .select('id')
    .where('instance_uuid', '=', serverId)
    .execute()
  if (requests.length > 0) found.push('build request')
  for (const cell of await cells.all()) {
    const rows = await cell.db
      .selectFrom('instances')
      .select('uuid')
      .where('uuid', '=', serverId)
      .where('deleted', '=', 0)
      .execute()
    if (rows.length > 0) found.push(`instance in ${cell.name}`)
  }
  return found
}

async function isTapOfPort(admin: Person, tap: string): Promise<boolean> {
  const { ports } = ok(await admin.network('GET', '/ports?fields=id'))
  return ports.some((port: { id: string }) => `tap${port.id.slice(0, 11)}` === tap)
}
