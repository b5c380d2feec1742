/** What must be so again after all faults. */
import assert from 'node:assert/strict'
import { sleep } from '../../../src/base/clock.ts'
import type { Person } from '../../../src/testing/cloud-people.ts'
import { until } from '../../../src/testing/until.ts'
import { findDisorder, type HostHoldings, isSettled, listServers } from './holdings.ts'

/** Only against a test that would never end. */
const patience = 180_000

/** Looks until nothing is found any more; fails with what was found last. */
export async function untilNone(what: string, look: () => Promise<string[]>): Promise<void> {
  let found: string[] = []
  await until(
    async () => {
      found = await look().catch((error: Error) => [error.message])
      if (found.length > 0) await sleep(200)
      return found.length === 0 ? true : undefined
    },
    what,
    patience,
  ).catch((error: Error) => assert.fail(`${error.message}: ${found.join('; ')}`))
}

export interface Cloud {
  admin: Person
  /** Flows and build requests that are in the database. */
  openWork(): Promise<string[]>
  holdings(): Promise<Readonly<Record<string, HostHoldings>>>
}

/** At rest, everything is as if nothing had happened; a server may be in ERROR, with a reason. */
export async function assertInOrder({ admin, openWork, holdings }: Cloud): Promise<void> {
  await untilNone('every server to settle', async () =>
    (await listServers(admin))
      .filter((one) => !isSettled(one))
      .map((one) => `${one.id} is ${one.status} (${one.taskState})`),
  )
  await untilNone('all work to be done', openWork)
  await untilNone('order', async () => findDisorder(admin, await listServers(admin), await holdings()))
  for (const { id, status, fault } of await listServers(admin))
    if (status === 'ERROR') assert.ok(fault, `${id} is in ERROR without a reason`)
}

export async function deleteAll(admin: Person): Promise<void> {
  for (const { id } of await listServers(admin))
    assert.equal((await admin.compute('DELETE', `/servers/${id}`)).status, 204)
  await untilNone('all servers to be gone', async () => (await listServers(admin)).map(({ id }) => id))
}
