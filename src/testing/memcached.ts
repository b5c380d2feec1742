/** A real memcached on a port of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync } from 'node:fs'
import { connect } from 'node:net'
import { freePorts } from './free-ports.ts'
import { until } from './until.ts'

const program = '/usr/bin/memcached'

/** Why there can be none here, for tests to skip with; undefined when there can. */
export function whyNoMemcached(): string | undefined {
  try {
    accessSync(program)
    return undefined
  } catch {
    return `${program} is missing: apt-get install memcached`
  }
}

export class Memcached implements AsyncDisposable {
  readonly port: number
  #server: ChildProcess | undefined

  private constructor(port: number) {
    this.port = port
  }

  static async start(): Promise<Memcached> {
    const [port] = await freePorts(1)
    const memcached = new Memcached(port!)
    await memcached.start()
    return memcached
  }

  /** `127.0.0.1:40123` */
  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    // As root it wants to be told whom to become.
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
    const args = ['-l', '127.0.0.1', '-p', String(this.port), '-m', '16', '-t', '1', ...user]
    this.#server = spawn(program, args, { stdio: 'ignore' })
    await until(() => this.#answers(), 'memcached')
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined || server.exitCode !== null) return
    const ended = once(server, 'exit')
    server.kill(signal)
    await ended
  }

  /** It answers nothing, and its connections stay; `SIGCONT` ends that. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#server?.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
  }

  async #answers(): Promise<true | undefined> {
    const socket = connect(this.port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return true
    } catch {
      return undefined
    } finally {
      socket.destroy()
    }
  }
}
