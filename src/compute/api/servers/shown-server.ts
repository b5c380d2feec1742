/** One server as it is shown, with all around it. */
import { gathered } from '../../../base/gathered.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import { instanceNotFound, knownInstance, seeServers } from '../../store/instances.ts'
import type { SeenInstance } from '../../store/seen-instances.ts'
import { readShowFacts, type ShowFacts } from '../../store/show-facts.ts'
import type { CellDeps, NetworkDeps } from '../deps.ts'
import { hostStatus, mayHavePorts, type ServerSurroundings } from './surroundings.ts'

type Groups = ReadonlyMap<string, { name: string }[]>

interface ShownServer extends SeenInstance {
  facts: ShowFacts
  /** Of its ports; rejected where Network does not say. */
  securityGroups: Promise<Groups>
}

type ShowReader = (token: string, uuids: readonly string[]) => Promise<ReadonlyMap<string, ShownServer>>

type Deps = CellDeps & NetworkDeps

const readers = new WeakMap<Deps, ShowReader>()

/** Throws when it is not there; who may see it is the caller's business, and comes before `surroundingsOf`. */
export async function readShownServer(
  request: ApiRequest<never>,
  deps: Deps,
  uuid: string,
): Promise<ShownServer> {
  let read = readers.get(deps)
  if (read === undefined) {
    read = showReader(deps)
    readers.set(deps, read)
  }
  const shown = (await read(request.context.token, [uuid])).get(uuid)
  if (shown === undefined) throw instanceNotFound(uuid)
  return shown
}

/**
 * Reads for all who wait at once, and everything at the same time: so many workers that each have a few requests still
 * read for several of them together. What was known of a server says whether Network is asked for it; where that was
 * wrong, it is asked afterwards.
 */
const showReader = (deps: Deps): ShowReader =>
  gathered(async (token: string, uuids: readonly string[]) => {
    const network = deps.networkFor(token)
    const groupsOf = async (wanted: readonly string[]): Promise<Groups> =>
      wanted.length === 0 ? new Map() : await network.securityGroupsByDevice(wanted)
    const cells = await deps.cells.all()
    const likely = uuids.filter((uuid) => {
      const known = knownInstance(deps.apiDb, cells, uuid)
      return known !== undefined && mayHavePorts(known)
    })
    const first = quietly(groupsOf(likely))
    const [seen, facts] = await Promise.all([seeServers(deps, uuids), readShowFacts(deps.apiDb, uuids)])
    const missed = [...seen.values()].flatMap(({ instance }) =>
      mayHavePorts(instance) && !likely.includes(instance.uuid) ? instance.uuid : [],
    )
    const second = quietly(groupsOf(missed))
    await Promise.allSettled([first, second])
    const isMissed = new Set(missed)
    return new Map(
      [...seen].map(([uuid, { instance, service }]) => {
        const securityGroups = isMissed.has(uuid) ? second : first
        return [uuid, { instance, service, facts, securityGroups }]
      }),
    )
  })

// Whoever shows the server waits for it, or throws for another reason first.
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

export async function surroundingsOf(
  request: ApiRequest<never>,
  { config }: CellDeps,
  { facts, service, securityGroups }: ShownServer,
): Promise<ServerSurroundings> {
  const sees = (version: string) => request.atLeast(version)
  const groups = await securityGroups
  return {
    zoneOf: ({ host, availability_zone }) =>
      host === null ? (availability_zone ?? '') : (facts.zones.get(host) ?? config.defaultAvailabilityZone),
    hostStatusOf: ({ host }) =>
      host === null ? '' : service === null ? 'UNKNOWN' : hostStatus(service, config.serviceDownSeconds),
    securityGroups: groups,
    serverGroupsOf: sees('2.71') ? (uuid) => facts.wishes.get(uuid)?.groups ?? [] : undefined,
    pinnedZoneOf: (uuid) => facts.wishes.get(uuid)?.zone ?? null,
    userData: true,
  }
}
