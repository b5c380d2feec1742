/** A way to the broker that can be cut, or swallow what is sent as a firewall does. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

export class Passage implements AsyncDisposable {
  readonly #target: { host: string; port: number }
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  #swallows = false

  private constructor(target: { host: string; port: number }) {
    this.#target = target
    this.#server = createServer((socket) => this.#join(socket))
  }

  static async start(target: { host: string; port: number }): Promise<Passage> {
    const passage = new Passage(target)
    passage.#server.listen(0, '127.0.0.1')
    await once(passage.#server, 'listening')
    return passage
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Connections stay, and nothing comes through any more. */
  swallow(): void {
    this.#swallows = true
    for (const socket of this.#sockets) {
      socket.unpipe()
      socket.resume()
    }
  }

  /** New connections come through again. */
  letThrough(): void {
    this.#swallows = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    if (this.#server.listening) await once(this.#server, 'close')
  }

  #join(near: Socket): void {
    this.#keep(near)
    if (this.#swallows) {
      near.resume()
      return
    }
    const far = connect(this.#target)
    this.#keep(far)
    near.pipe(far)
    far.pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
