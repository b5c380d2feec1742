import type { Person } from '../../../src/testing/cloud-people.ts'
import { ok } from '../../../src/testing/first-things.ts'
import type { AgentsAnswer, ServicesAnswer } from './answers.ts'

/** Tells services and agents apart: `nova-compute` of `compute1`. */
export type Who = (binary: string, host: string) => boolean

export interface Expected {
  /** They must have reported since. */
  who: Who
  since: Date
  /** Hosts that are cut off: nothing is expected of them. */
  cutOff?: ReadonlySet<string>
}

/** Services and agents that are down, or should have reported and have not: `nova-compute on compute1`. */
export async function findSilent(admin: Person, { who, since, cutOff }: Expected): Promise<string[]> {
  const { services }: ServicesAnswer = ok(await admin.compute('GET', '/os-services'))
  const { agents }: AgentsAnswer = ok(await admin.network('GET', '/agents'))
  const silent: string[] = []
  const look = (binary: string, host: string, isUp: boolean, hasReported: boolean) => {
    if (cutOff?.has(host)) return
    if (!isUp || (who(binary, host) && !hasReported)) silent.push(`${binary} on ${host}`)
  }
  for (const { binary, host, state, updated_at } of services)
    look(binary, host, state === 'up', timeOf(updated_at) >= since.getTime())
  // neutron shows whole seconds. A program that was killed is started again a second later at the soonest.
  const second = Math.floor(since.getTime() / 1000) * 1000
  for (const { binary, host, alive, heartbeat_timestamp } of agents)
    look(binary, host, alive, timeOf(heartbeat_timestamp) >= second)
  return silent
}

// Both APIs leave out that it is UTC.
const timeOf = (text: string | null): number => Date.parse(`${(text ?? '1970-01-01').replace(' ', 'T')}Z`)
