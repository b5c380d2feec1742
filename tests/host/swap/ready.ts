/** Waits for programs of either kind, by what all of them answer. */
import type { Answer, Person } from '../../../src/testing/cloud-people.ts'
import { ok } from '../../../src/testing/first-things.ts'
import { until } from '../cloud.ts'
import { compute } from './programs.ts'

/** The newest microversions that Zed's nova and placement have. */
const zed = {
  compute: { 'openstack-api-version': 'compute 2.93' },
  placement: { 'openstack-api-version': 'placement 1.39' },
}

const patienceSeconds = 180

/** Throws when waiting is in vain. */
export type Check = () => void

export const askCompute = (admin: Person, path: string): Promise<Answer> =>
  admin.compute('GET', path, undefined, zed.compute)

export const askPlacement = (admin: Person, path: string): Promise<Answer> =>
  admin.placement('GET', path, undefined, zed.placement)

/** Identity lets the administrator in. */
export async function untilIdentityAnswers(admin: Person, check: Check): Promise<void> {
  await untilTrue('identity answers', check, async () => (await admin.token()) !== undefined)
}

export async function untilNetworkAnswers(admin: Person, check: Check): Promise<void> {
  const answers = async () => (await admin.network('GET', '/agents')).status === 200
  await untilTrue('network answers', check, answers)
}

/** Every API answers, every agent is alive, and the compute host is up and known to placement. */
export async function untilReady(admin: Person, check: Check): Promise<void> {
  await untilTrue('image answers', check, async () => (await admin.image('GET', '/images')).status === 200)
  await untilTrue('the agents of network are alive', check, async () => {
    const { agents } = ok(await admin.network('GET', '/agents'))
    return agents.length === 4 && agents.every((agent: { alive: boolean }) => agent.alive)
  })
  await untilTrue('the compute host is up', check, async () => {
    const { services } = ok(await askCompute(admin, '/os-services?binary=nova-compute'))
    return services.length === 1 && services[0].state === 'up' && services[0].host === compute
  })
  await untilTrue('the compute host is mapped', check, async () => {
    const { hypervisors } = ok(await askCompute(admin, '/os-hypervisors'))
    return hypervisors.length === 1
  })
  await untilTrue('placement knows what the host has', check, async () => {
    const { resource_providers: providers } = ok(await askPlacement(admin, '/resource_providers'))
    const [first] = providers
    if (first === undefined) return false
    const { inventories } = ok(await askPlacement(admin, `/resource_providers/${first.uuid}/inventories`))
    return inventories['VCPU'] !== undefined
  })
}

/** What does not answer yet refuses connections, or says 503. */
async function untilTrue(what: string, check: Check, look: () => Promise<boolean>): Promise<void> {
  let last: unknown
  const looked = async () => {
    check()
    try {
      return await look()
    } catch (error) {
      last = error
      return false
    }
  }
  await until(what, patienceSeconds, looked).catch((error: Error) => {
    throw new Error(`${error.message}${last instanceof Error ? `: ${last.message}` : ''}`, { cause: last })
  })
}
