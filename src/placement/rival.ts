/** Another thread with its own connection, that claims what a test tells it: for tests of races. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { PlacementClient } from './client.ts'
import { placementWorld } from './world.ts'

export interface RivalClaim {
  provider: string
  vcpus: number
  consumer: string
  release: boolean
}

/** Makes all the claims and releases at once; whether they succeed is not asked. */
export async function claimAtOnce(client: PlacementClient, claims: readonly RivalClaim[]): Promise<void> {
  await Promise.allSettled(
    claims.map(async ({ provider, vcpus, consumer, release }) => {
      const { consumerGeneration } = await client.getAllocations(consumer)
      const request = { allocations: { [provider]: { resources: { VCPU: vcpus } } } }
      if (release) await client.deleteAllocations(consumer)
      else await client.claim(consumer, request, 'p', 'u', { consumerGeneration })
    }),
  )
}

/** Starts a rival on a database file. */
export class Rival {
  readonly #worker: Worker

  constructor(databaseUrl: string) {
    this.#worker = new Worker(new URL(import.meta.url), { workerData: { databaseUrl } })
  }

  /** Resolves when all the claims were answered. */
  claim(claims: readonly RivalClaim[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.once('error', reject)
      this.#worker.once('message', () => {
        this.#worker.off('error', reject)
        resolve()
      })
      this.#worker.postMessage(claims)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}

if (!isMainThread && parentPort !== null && typeof workerData?.databaseUrl === 'string') {
  const port = parentPort
  const world = await placementWorld({ databaseUrl: workerData.databaseUrl })
  port.on('message', (claims: RivalClaim[]) => {
    claimAtOnce(world.client, claims).then(
      () => port.postMessage('done'),
      (error: unknown) => {
        throw error
      },
    )
  })
}
