/** Programs are killed and started again, and must be back before the next one is. */
import type { TestContext } from 'node:test'
import { sleep } from '../../../src/base/clock.ts'
import type { Send } from '../../../src/base/http/client.ts'
import type { ApiName } from '../../../src/cli/admin-client.ts'
import type { Person } from '../../../src/testing/cloud-people.ts'
import { findSilent, type Who } from './alive.ts'
import { untilNone } from './settle.ts'

export interface Scene {
  t: TestContext
  admin: Person
  sends: Readonly<Record<ApiName, Send>>
  /** Hosts without network. */
  cutOff: ReadonlySet<string>
}

export interface Victim {
  /** `nova-compute on compute1` */
  name: string
  /** `kill -9`; resolves with the time at which it was started again. */
  kill(): Promise<Date>
  /** The API that it serves. */
  api?: ApiName | undefined
  /** The services and agents that must report themselves again. */
  who?: Who | undefined
}

const breathMilliseconds = 1000

export async function killInTurn(scene: Scene, victims: readonly Victim[]): Promise<void> {
  for (const { name, kill, api, who = nobody } of victims) {
    const what = `kill -9 of ${name}`
    const killedAt = new Date()
    const since = await kill()
    if (api !== undefined) await untilNone(`an answer after ${what}`, () => askApi(scene.sends[api]))
    await untilAlive(scene, what, who, since)
    scene.t.diagnostic(`${what}: back after ${seconds(killedAt)}`)
    await sleep(breathMilliseconds)
  }
}

const nobody: Who = () => false

/** Waits until all are alive, and those who were hit have reported since. */
export async function untilAlive(scene: Scene, what: string, who: Who, since: Date): Promise<void> {
  const { admin, cutOff } = scene
  await untilNone(`everybody to be alive after ${what}`, () => findSilent(admin, { who, since, cutOff }))
}

async function askApi(send: Send): Promise<string[]> {
  const { status } = await send({ method: 'GET', path: '/' })
  return status < 500 ? [] : [`HTTP ${status}`]
}

/** Since then: `12.3 s`. */
export const seconds = (since: Date): string => `${((Date.now() - since.getTime()) / 1000).toFixed(1)} s`
