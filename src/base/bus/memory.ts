/** The bus within one process: what `kilonova up` and the tests run on. */
import { Fault } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Bus, BusState, Handler, MessageInfo, ServerTarget, Target } from './bus.ts'

interface Server {
  name: string
  methods: Readonly<Record<string, Handler>>
  running: Set<Promise<unknown>>
}

interface Topic {
  servers: Server[]
  /** Round robin among the servers. */
  turn: number
  /** Casts that nobody could take yet. */
  kept: { server: string | undefined; method: string; text: string }[]
}

const defaultTimeoutSeconds = 60

// A handler runs in the asynchronous context of its caller, request id and all: nothing needs to be carried.
const inProcess: MessageInfo = { context: {}, redelivered: false }

/** Messages are copied as JSON, so that neither side can change what the other holds, as on any other transport. */
export function createMemoryBus(options: { log?: Logger } = {}): Bus {
  return new MemoryBus(options.log)
}

class MemoryBus implements Bus {
  readonly #topics = new Map<string, Topic>()
  readonly #log: Logger | undefined
  readonly #pending = new Set<(error: Fault) => void>()
  readonly #since = Date.now()
  #closed = false

  constructor(log: Logger | undefined) {
    this.#log = log
  }

  async serve(target: ServerTarget, methods: Readonly<Record<string, Handler>>): Promise<AsyncDisposable> {
    const topic = this.#topic(target.topic)
    const server: Server = { name: target.server, methods, running: new Set() }
    topic.servers.push(server)
    const kept = topic.kept
    topic.kept = []
    for (const cast of kept) this.#deliver(topic, cast.server, cast.method, cast.text)
    return {
      [Symbol.asyncDispose]: async () => {
        topic.servers = topic.servers.filter((other) => other !== server)
        await Promise.allSettled(server.running)
      },
    }
  }

  call<T>(target: Target, method: string, args: unknown, options?: { timeoutSeconds?: number }): Promise<T> {
    const seconds = options?.timeoutSeconds ?? defaultTimeoutSeconds
    const server = this.#choose(this.#topic(target.topic), target.server)
    if (server === undefined) return Promise.reject(unanswered(target, method, 'nobody serves it'))
    return new Promise<T>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#pending.delete(fail)
      }
      const fail = (error: unknown): void => {
        end()
        reject(error)
      }
      const timer = setTimeout(
        () => fail(unanswered(target, method, `no answer within ${seconds} seconds`)),
        seconds * 1000,
      )
      this.#pending.add(fail)
      const answer = (value: unknown): void => {
        end()
        resolve(copy(value) as T)
      }
      void invoke(server, method, JSON.stringify(args)).then(answer, fail)
    })
  }

  async cast(target: Target, method: string, args: unknown): Promise<void> {
    if (this.#closed) throw new Fault('unavailable', 'The message bus is closed.')
    this.#deliver(this.#topic(target.topic), target.server, method, JSON.stringify(args))
  }

  async fanout(topicName: string, method: string, args: unknown): Promise<void> {
    const text = JSON.stringify(args)
    for (const server of this.#topic(topicName).servers) this.#start(server, method, text)
  }

  async wake(target: ServerTarget, method: string, args: unknown): Promise<void> {
    const server = this.#choose(this.#topic(target.topic), target.server)
    if (server !== undefined) this.#start(server, method, JSON.stringify(args))
  }

  state(): BusState {
    return {
      transport: 'memory',
      connected: !this.#closed,
      host: null,
      since: this.#since,
      why: this.#closed ? 'closed' : null,
    }
  }

  watch(): Disposable {
    return { [Symbol.dispose]: () => undefined }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const fail of this.#pending) fail(new Fault('unavailable', 'The message bus was closed.'))
    this.#topics.clear()
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = { servers: [], turn: 0, kept: [] }
      this.#topics.set(name, topic)
    }
    return topic
  }

  #choose(topic: Topic, name: string | undefined): Server | undefined {
    if (name !== undefined) return topic.servers.find((server) => server.name === name)
    return topic.servers[topic.turn++ % topic.servers.length]
  }

  #deliver(topic: Topic, name: string | undefined, method: string, text: string): void {
    const server = this.#choose(topic, name)
    if (server === undefined) topic.kept.push({ server: name, method, text })
    else this.#start(server, method, text)
  }

  #start(server: Server, method: string, text: string): void {
    setImmediate(() => {
      if (this.#closed) return
      invoke(server, method, text).catch((error: unknown) => {
        this.#log?.error({ err: error, method, server: server.name }, 'a message could not be handled')
      })
    })
  }
}

async function invoke(server: Server, method: string, text: string | undefined): Promise<unknown> {
  const handler = server.methods[method]
  if (handler === undefined) throw new Fault('not-implemented', `${server.name} has no method ${method}.`)
  // The caller goes on first: a handler that answers at once must not run inside the sender's stack.
  await Promise.resolve()
  const args = (text === undefined ? undefined : JSON.parse(text)) as never
  const running = (async () => handler(args, inProcess))()
  server.running.add(running)
  try {
    return await running
  } finally {
    server.running.delete(running)
  }
}

const copy = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value))

function unanswered(target: Target, method: string, why: string): Fault {
  const to = target.server === undefined ? target.topic : `${target.topic}.${target.server}`
  return new Fault('unavailable', `The message ${method} to ${to} was not answered: ${why}.`, { to, method })
}
