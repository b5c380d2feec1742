/** A way to a server that a test can close: what is sent goes nowhere, as behind a firewall, or nobody listens. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { parseDatabaseUrl } from '../base/db/url.ts'

export class Door implements AsyncDisposable {
  readonly #to: string | number
  readonly #sockets = new Set<Socket>()
  /** Those that came while it was held. */
  readonly #waiting: Socket[] = []
  #server: Server | undefined
  #held = false
  #port = 0
  #taken = 0

  private constructor(to: string | number) {
    this.#to = to
  }

  /** To a port of this host or a Unix socket. */
  static async open(to: string | number): Promise<Door> {
    const door = new Door(to)
    await door.open()
    return door
  }

  /** Of this host. */
  get port(): number {
    return this.#port
  }

  /** How many connections came. */
  get taken(): number {
    return this.#taken
  }

  /** From now on all is silence, on the connections that there are and on new ones. */
  hold(): void {
    this.#held = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** What was held goes on its way. */
  letGo(): void {
    this.#held = false
    for (const socket of this.#sockets) socket.resume()
    for (const socket of this.#waiting.splice(0)) if (!socket.destroyed) this.#lead(socket)
  }

  /** Ends all connections and takes no more. */
  async shut(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
    server?.close()
    if (server !== undefined) await once(server, 'close')
  }

  async open(): Promise<void> {
    this.#server = createServer((socket) => this.#take(socket)).listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shut()
  }

  #take(socket: Socket): void {
    this.#taken++
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    if (this.#held) this.#waiting.push(socket)
    else this.#lead(socket)
  }

  #lead(socket: Socket): void {
    const other = typeof this.#to === 'string' ? connect(this.#to) : connect(this.#to, '127.0.0.1')
    for (const [from, into] of [
      [socket, other],
      [other, socket],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => undefined)
      from.on('close', () => {
        this.#sockets.delete(from)
        into.destroy()
      })
      // Not by `pipe`, which would let what was paused flow.
      from.on('data', (data) => {
        if (!into.write(data)) from.pause()
      })
      into.on('drain', () => {
        if (!this.#held) from.resume()
      })
    }
  }
}

/** A database that is reached by a Unix socket, as one that is reached by way of a door. */
export async function databaseDoor(url: string): Promise<{ door: Door; url: string }> {
  const parsed = parseDatabaseUrl(url)
  if (parsed.dialect === 'sqlite' || parsed.socket === undefined) throw new Error(`${url} has no socket`)
  const { dialect, socket, user, database } = parsed
  const door = await Door.open(dialect === 'mysql' ? socket : `${socket}/.s.PGSQL.${parsed.port}`)
  return { door, url: `${dialect}://${user}@127.0.0.1:${door.port}/${database}` }
}
