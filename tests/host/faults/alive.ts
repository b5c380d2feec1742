import type { Person } from '../../../src/testing/cloud-people.ts'
import { ok } from '../../../src/testing/first-things.ts'

/** Services and agents that are down, or are `expected` and have not reported since: `nova-compute on compute1`. */
export async function findSilent(
  admin: Person,
  expected: { since: Date; who: (binary: string, host: string) => boolean },
): Promise<string[]> {
  const { services } = ok(await admin.compute('GET', '/os-services'))
  const { agents } = ok(await admin.network('GET', '/agents'))
  const silent: string[] = []
  const look = (binary: string, host: string, isUp: boolean, reported: string | null) => {
    const isLate = expected.who(binary, host) && timeOf(reported) < expected.since
    if (!isUp || isLate) silent.push(`${binary} on ${host}`)
  }
  for (const { binary, host, state, updated_at } of services) look(binary, host, state === 'up', updated_at)
  for (const { binary, host, alive, heartbeat_timestamp } of agents)
    look(binary, host, alive, heartbeat_timestamp)
  return silent
}

// Both APIs leave out that it is UTC.
const timeOf = (text: string | null): Date => new Date(`${(text ?? '1970-01-01').replace(' ', 'T')}Z`)
