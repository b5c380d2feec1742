/** The names of the security groups on the ports of servers. */
import { type Clock, systemClock } from '../../base/clock.ts'
import { gathered } from '../../base/gathered.ts'
import type { Send } from '../../base/http/client.ts'
import { queries } from './queries.ts'
import { describeReply } from './reply.ts'

type Names = { name: string }[]

/** The names by server; those of more servers than were asked for may be among them, and nobody may change them. */
export type DeviceGroups = (
  token: string,
  deviceIds: readonly string[],
) => Promise<ReadonlyMap<string, Names>>

/** What Network told one caller, and the revision that it was told at. */
interface Told {
  token: string
  tag: string
  at: number
  byDevice: Map<string, Names>
}

/** So many callers' answers are kept, each for so many servers and so long. */
const mostCallers = 50
const mostDevices = 2000
const keptMilliseconds = 60_000

/** Up to so many servers, asking whether they are as before is asking for them. */
const few = 20

/** As the tag of our own Network looks: it is one for all ports, so that one question is enough for all servers. */
const isRevision = (tag: string | undefined): tag is string => tag?.startsWith('"changes:') === true

/**
 * Asks Network each time; where its answers have a revision, only whether that is still the newest. OpenStack's own
 * gives none, and is asked for all.
 */
export function deviceGroups(send: Send, clock: Clock = systemClock): DeviceGroups {
  const callers = new Map<string, Told>()

  /** What is too old is asked for anew, and then kept as long again. */
  function youngOf(token: string): Told | undefined {
    const told = callers.get(token)
    return told !== undefined && clock.now() - told.at < keptMilliseconds ? told : undefined
  }

  async function get(token: string, path: string, headers: Readonly<Record<string, string>> = {}) {
    const reply = await send({ method: 'GET', path, headers: { 'x-auth-token': token, ...headers } })
    if (reply.status >= 300 && reply.status !== 304) throw describeReply(reply, 'GET', path)
    return reply
  }

  async function list(
    token: string,
    collection: string,
    filters: Readonly<Record<string, readonly string[]>>,
  ) {
    const found: Record<string, unknown>[] = []
    const tags: (string | undefined)[] = []
    for (const query of queries(filters)) {
      const { body, headers } = await get(token, `/v2.0/${collection}${query}`)
      found.push(...(body as Record<string, Record<string, unknown>[]>)[collection.replaceAll('-', '_')]!)
      tags.push(headers['etag'])
    }
    // What was told later is at least as new as the first of the tags.
    return { found, tag: tags[0] }
  }

  const portsOf = (ids: readonly string[]) => ({ device_id: ids, fields: ['device_id', 'security_groups'] })

  async function namesOf(token: string, ids: readonly string[], ports: readonly Record<string, unknown>[]) {
    const groupsOf = (port: Record<string, unknown>) => (port['security_groups'] ?? []) as string[]
    const groupIds = [...new Set(ports.flatMap(groupsOf))]
    const groups = await list(token, 'security-groups', { id: groupIds, fields: ['id', 'name'] })
    const nameOf = new Map(groups.found.map((group) => [group['id'], group['name'] as string]))
    const byDevice = new Map<string, Names>(ids.map((id) => [id, []]))
    for (const port of ports) {
      const known = byDevice.get(port['device_id'] as string) ?? []
      for (const id of groupsOf(port)) {
        const name = nameOf.get(id)
        if (name !== undefined && !known.some((group) => group.name === name)) known.push({ name })
      }
      byDevice.set(port['device_id'] as string, known)
    }
    return byDevice
  }

  function keep(token: string, tag: string | undefined, byDevice: ReadonlyMap<string, Names>): void {
    const told = youngOf(token)
    if (told !== undefined && told.tag === tag && told.byDevice.size + byDevice.size <= mostDevices) {
      for (const [id, names] of byDevice) told.byDevice.set(id, names)
      return
    }
    callers.delete(token)
    if (!isRevision(tag) || byDevice.size > mostDevices) return
    callers.set(token, { token, tag, at: clock.now(), byDevice: new Map(byDevice) })
    if (callers.size > mostCallers) callers.delete(callers.keys().next().value!)
  }

  async function ask(token: string, ids: readonly string[]) {
    const { found, tag } = await list(token, 'ports', portsOf(ids))
    const byDevice = await namesOf(token, ids, found)
    keep(token, tag, byDevice)
    return { tag, byDevice }
  }

  function askWhetherSame({ token, tag }: Told, ids: readonly string[]) {
    const [query = ''] = queries(portsOf(ids))
    return get(token, `/v2.0/ports${query}`, { 'if-none-match': tag })
  }

  // Of several long lists that a caller asks for at once, one question is for all.
  const isSame = gathered(async (told: Told, ids: readonly string[]) => {
    const { status } = await askWhetherSame(told, ids.slice(0, 1))
    return new Map(ids.map((id) => [id, status === 304]))
  })

  /** Undefined when something has changed; with what was asked for then, where that came along. */
  async function confirm(told: Told, ids: readonly string[]) {
    const { token } = told
    if (ids.length > few) {
      const [id] = ids as [string]
      return (await isSame(told, [id])).get(id) ? told.byDevice : undefined
    }
    const reply = await askWhetherSame(told, ids)
    if (reply.status === 304) return told.byDevice
    const byDevice = await namesOf(token, ids, (reply.body as { ports: Record<string, unknown>[] }).ports)
    keep(token, reply.headers['etag'], byDevice)
    return byDevice
  }

  return async (token, ids) => {
    if (ids.length === 0) return new Map()
    const told = youngOf(token)
    if (told !== undefined) {
      const missing = ids.filter((id) => !told.byDevice.has(id))
      if (missing.length === 0) {
        const confirmed = await confirm(told, ids)
        if (confirmed !== undefined) return confirmed
      } else if (missing.length < ids.length) {
        const more = await ask(token, missing)
        // Then what was told of the others still holds.
        if (more.tag === told.tag) return new Map([...told.byDevice, ...more.byDevice])
      }
    }
    return (await ask(token, ids)).byDevice
  }
}
