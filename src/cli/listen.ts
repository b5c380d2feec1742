/** Opens an API's ports, and closes them so that nobody who asked goes without an answer. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import { Server as NetServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { sleep } from '../base/clock.ts'
import { Fault } from '../base/errors.ts'

export interface Listening extends AsyncDisposable {
  /**
   * Takes no more connections, and closes each after the answer that comes next on it; one on which nothing is asked,
   * after `idleSeconds`. Closing an idle connection at once could meet a request that is on its way. What is not
   * answered after `mostSeconds` is cut off.
   */
  drain(limits: { idleSeconds: number; mostSeconds: number }): Promise<void>
}

export interface ListenOptions {
  /** Workers of one program share their ports. */
  shared?: boolean
}

/** Serves an app on a port, or on several: an alias has a listener of its own. Disposing cuts off who is connected. */
export async function listen(
  app: FastifyInstance,
  host: string,
  ports: readonly number[],
  options: ListenOptions = {},
): Promise<Listening> {
  await app.ready()
  await using undo = new AsyncDisposableStack()
  const doors: Door[] = []
  for (const port of ports) {
    const door = undo.use(new Door(app))
    await door.open({ host, port, exclusive: options.shared !== true })
    doors.push(door)
  }
  const life = undo.move()
  return {
    drain: async (limits) => {
      await Promise.all(doors.map((door) => door.drain(limits)))
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  }
}

class Door {
  readonly #server: Server
  readonly #answering = new Set<ServerResponse>()
  #draining = false
  #closed: Promise<void> | undefined

  constructor(app: FastifyInstance) {
    this.#server = createServer((request, response) => {
      this.#answering.add(response)
      response.once('close', () => this.#answering.delete(response))
      if (this.#draining) response.shouldKeepAlive = false
      app.routing(request, response)
    })
    // Clients reuse their connections; a shorter idle time would reset them in the middle of a request.
    this.#server.keepAliveTimeout = 75_000
  }

  open(at: { host: string; port: number; exclusive: boolean }): Promise<void> {
    const server = this.#server
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const where = `Port ${at.port} on ${at.host}`
        reject(
          new Fault('unavailable', `${where} cannot be opened (${error.code})`, { port: at.port }, error),
        )
      })
      server.listen(at, resolve)
    })
  }

  async drain({ idleSeconds, mostSeconds }: { idleSeconds: number; mostSeconds: number }): Promise<void> {
    this.#draining = true
    for (const response of this.#answering) response.shouldKeepAlive = false
    const closed = this.#close()
    const over = new AbortController()
    const hurry = async () => {
      await sleep(idleSeconds * 1000, over.signal)
      const end = Date.now() + (mostSeconds - idleSeconds) * 1000
      while (Date.now() < end) {
        this.#server.closeIdleConnections()
        await sleep(200, over.signal)
      }
      this.#server.closeAllConnections()
    }
    hurry().catch(() => undefined)
    await closed
    over.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#close()
    this.#server.closeAllConnections()
    await closed
  }

  // http's own close ends idle connections at once.
  #close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => NetServer.prototype.close.call(this.#server, () => resolve()))
    return this.#closed
  }
}
