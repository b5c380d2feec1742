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

export const askCompute = (admin: Person, path: string): Promise<Answer> =>
  admin.compute('GET', path, undefined, zed.compute)

export const askPlacement = (admin: Person, path: string): Promise<Answer> =>
  admin.placement('GET', path, undefined, zed.placement)

/** Identity lets the administrator in. */
export async function untilIdentityAnswers(admin: Person): Promise<void> {
  await untilTrue('identity to answer', async () => (await admin.token()) !== undefined)
}

export async function untilNetworkAnswers(admin: Person): Promise<void> {
  await untilTrue('network to answer', async () => (await admin.network('GET', '/agents')).status === 200)
}

/** Every API answers, every agent is alive, and the compute host is up and known to placement. */
export async function untilReady(admin: Person): Promise<void> {
  await untilTrue('image to answer', async () => (await admin.image('GET', '/images')).status === 200)
  await untilTrue('agents of network to be alive', async () => {
    const { agents } = ok(await admin.network('GET', '/agents'))
    return agents.length === 4 && agents.every((agent: { alive: boolean }) => agent.alive)
  })
  await untilTrue('the compute host to be up', async () => {
    const { services } = ok(await askCompute(admin, '/os-services?binary=nova-compute'))
    return services.length === 1 && services[0].state === 'up' && services[0].host === compute
  })
  await untilTrue('the compute host to be mapped', async () => {
    const { hypervisors } = ok(await askCompute(admin, '/os-hypervisors'))
    return hypervisors.length === 1
  })
  await untilTrue('placement to know what the host has', async () => {
    const { resource_providers: providers } = ok(await askPlacement(admin, '/resource_providers'))
    const [first] = providers
    if (first === undefined) return false
    const { inventories } = ok(await askPlacement(admin, `/resource_providers/${first.uuid}/inventories`))
    return inventories['VCPU'] !== undefined
  })
}

/** What does not answer yet refuses connections, or says 503. */
async function untilTrue(what: string, look: () => Promise<boolean>): Promise<void> {
  let last: unknown
  const looked = async () => {
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
