/** Servers that are created and deleted without pause, as clients do whose cloud breaks under them. */
import { sleep } from '../../../src/base/clock.ts'
import type { Answer, Person } from '../../../src/testing/cloud-people.ts'

export interface LoadOptions {
  person: Person
  imageId: string
  flavorId: string
  networkId: string
  /** How many there are at most. */
  servers: number
  /** `nova:compute1`: where they shall be; anywhere unless given. */
  zone?: string
  /** 4 unless given. */
  clients?: number
  /** Of each client, between two requests; 100 unless given. */
  pauseMilliseconds?: number
}

/** Runs until it is stopped. What the cloud refuses meanwhile is counted; what it must never say is kept. */
export class Load implements AsyncDisposable {
  /** What a client has no reason to expect: anything but success and 503. */
  readonly bugs = new Set<string>()
  created = 0
  deleted = 0
  /** Requests that a client would try again: the service was away. */
  refused = 0
  readonly #options: LoadOptions
  readonly #running: Promise<void>[]
  readonly #standing: string[] = []
  /** Whose delete was not answered, or with a 503: it may have been taken all the same, and then they are not found. */
  readonly #doubtful = new Set<string>()
  #isStopped = false
  #count = 0

  constructor(options: LoadOptions) {
    this.#options = options
    this.#running = Array.from({ length: options.clients ?? 4 }, () => this.#run())
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#running)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      // More than half: it fills up, and stays nearly full.
      const isFull = this.#standing.length >= this.#options.servers
      await (isFull || (this.#standing.length > 0 && Math.random() < 0.4) ? this.#delete() : this.#create())
      await sleep(this.#options.pauseMilliseconds ?? 100)
    }
  }

  async #create(): Promise<void> {
    const { person, imageId, flavorId, networkId, zone } = this.#options
    const server = {
      name: `load-${++this.#count}`,
      imageRef: imageId,
      flavorRef: flavorId,
      networks: [{ uuid: networkId }],
      ...(zone === undefined ? {} : { availability_zone: zone }),
    }
    const answer = await this.#ask(() => person.compute('POST', '/servers', { server }))
    if (answer?.status !== 202) return
    this.created++
    this.#standing.push(answer.body.server.id)
  }

  async #delete(): Promise<void> {
    const [id] = this.#standing.splice(Math.floor(Math.random() * this.#standing.length), 1)
    if (id === undefined) return
    const mayBeGone = this.#doubtful.has(id) ? [404] : []
    const answer = await this.#ask(() => this.#options.person.compute('DELETE', `/servers/${id}`), mayBeGone)
    if (answer?.status === 204 || answer?.status === 404) this.deleted++
    else {
      this.#doubtful.add(id)
      this.#standing.push(id)
    }
  }

  async #ask(ask: () => Promise<Answer>, expected: readonly number[] = []): Promise<Answer | undefined> {
    try {
      const answer = await ask()
      if (answer.status >= 500) this.refused++
      if (answer.status >= 400 && answer.status !== 503 && !expected.includes(answer.status))
        this.bugs.add(`HTTP ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer
    } catch {
      // Nobody listened, or the connection ended before the answer.
      this.refused++
      return undefined
    }
  }
}
