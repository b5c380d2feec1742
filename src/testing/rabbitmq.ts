/**
 * A real RabbitMQ in a directory of its own, with its own node name, cookie, ports and port mapper, so that it meets no
 * other on the machine. Its users and vhosts are data that it reads when it starts.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from './free-ports.ts'

/** The one beneath the distribution's wrapper, which insists on a user of its own. */
const program = '/usr/lib/rabbitmq/bin/rabbitmq-server'
const controlProgram = '/usr/lib/rabbitmq/bin/rabbitmqctl'

/** Why there can be none here, for tests to skip with; undefined when there can. */
export function whyNoRabbitmq(): string | undefined {
  try {
    accessSync(program)
    return undefined
  } catch {
    return `${program} is missing: apt-get install rabbitmq-server`
  }
}

export interface RabbitmqOptions {
  /** `127.0.0.1` unless given. */
  address?: string
  /** Any free one unless given. */
  port?: number
  /** Beside those that `rabbitUser` may use. */
  closedVhosts?: readonly string[]
  /** A second listener speaks TLS with this certificate. */
  tls?: { certFile: string; keyFile: string; caFile: string }
}

export const rabbitUser = { name: 'openstack', password: 'Rabbit@Pass#1' }

/** A vhost's queues are no other's: a test takes one. */
const standardVhosts = ['/', ...Array.from({ length: 40 }, (_, index) => `vhost${index + 1}`)]

export class Rabbitmq implements AsyncDisposable {
  readonly address: string
  readonly port: number
  readonly #directory = mkdtempSync(join(tmpdir(), 'rabbitmq-'))
  readonly #ports: { mapper: number; distribution: number; tls: number }
  readonly #vhosts = standardVhosts.slice(1)
  #mapper: ChildProcess | undefined
  #server: ChildProcess | undefined

  private constructor(options: RabbitmqOptions, ports: readonly number[]) {
    const [main, mapper, distribution, tls] = ports as [number, number, number, number]
    this.address = options.address ?? '127.0.0.1'
    this.port = options.port ?? main
    this.#ports = { mapper, distribution, tls }
    this.#write(options)
  }

  /** Takes a few seconds; resolves when it can be logged in to. */
  static async start(options: RabbitmqOptions = {}): Promise<Rabbitmq> {
    const rabbit = new Rabbitmq(options, await freePorts(4))
    await rabbit.start()
    return rabbit
  }

  /** `rabbitmqctl`, which takes seconds. */
  async control(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(controlProgram, args, { env: this.#environment() })
    return stdout
  }

  /** Of the broker itself, whose processor time may be of interest. */
  get processId(): number | undefined {
    const shell = this.#server?.pid
    if (shell === undefined) return undefined
    const [child] = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ')
    return child ? Number(child) : undefined
  }

  /** The URL of a vhost that was given to nobody yet. */
  ownUrl(): string {
    const vhost = this.#vhosts.shift()
    if (vhost === undefined) throw new Error(`all ${standardVhosts.length - 1} vhosts are taken`)
    return this.url(vhost)
  }

  /** `rabbit://openstack:…@127.0.0.1:40123/` */
  url(vhost = '', user = rabbitUser): string {
    const [name, password] = [user.name, user.password].map(encodeURIComponent)
    return `rabbit://${name}:${password}@${this.address}:${this.port}/${encodeURIComponent(vhost)}`
  }

  /** The same by the listener that speaks TLS. */
  tlsUrl(url = this.url()): string {
    return `${url.replace(`:${this.port}/`, `:${this.#ports.tls}/`)}?ssl=1`
  }

  async start(): Promise<void> {
    this.#mapper ??= spawn('epmd', ['-port', String(this.#ports.mapper), '-address', '127.0.0.1'], {
      stdio: 'ignore',
    })
    // A group of its own: Erlang has helpers, which shall end with it.
    const server = spawn(program, [], {
      env: this.#environment(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      let said = ''
      const hear = (text: Buffer): void => {
        said += text.toString()
        if (said.includes('Server startup complete')) resolve()
      }
      server.stdout.on('data', hear)
      server.stderr.on('data', hear)
      server.once('error', reject)
      server.once('exit', () => reject(new Error(`RabbitMQ did not start:\n${said.slice(-2000)}`)))
    })
    server.stdout.removeAllListeners('data').resume()
    server.stderr.removeAllListeners('data').resume()
  }

  /** What is durable is there again after `start`. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server?.pid === undefined || server.exitCode !== null) return
    const ended = once(server, 'exit')
    process.kill(-server.pid, signal)
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
    const mapper = this.#mapper
    if (mapper !== undefined && mapper.exitCode === null) {
      const ended = once(mapper, 'exit')
      mapper.kill('SIGKILL')
      await ended
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #environment(): NodeJS.ProcessEnv {
    const { mapper, distribution } = this.#ports
    const directory = this.#directory
    return {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      HOME: directory,
      ERL_EPMD_PORT: String(mapper),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `rabbit-${this.port}@localhost`,
      RABBITMQ_DIST_PORT: String(distribution),
      RABBITMQ_MNESIA_BASE: join(directory, 'data'),
      RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq.conf'),
      RABBITMQ_ADVANCED_CONFIG_FILE: join(directory, 'none.config'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_PID_FILE: join(directory, 'pid'),
      RABBITMQ_LOG_BASE: join(directory, 'log'),
      RABBITMQ_LOGS: '-',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
        '+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
    }
  }

  #write({ closedVhosts = [], tls }: RabbitmqOptions): void {
    const write = (name: string, text: string): void =>
      writeFileSync(join(this.#directory, name), text, { mode: 0o600 })
    const all = { configure: '.*', write: '.*', read: '.*' }
    const { name: user, password } = rabbitUser
    const definitions = {
      vhosts: [...standardVhosts, ...closedVhosts].map((name) => ({ name })),
      users: [{ name: user, password, tags: '' }],
      permissions: standardVhosts.map((vhost) => ({ user, vhost, ...all })),
    }
    write('definitions.json', JSON.stringify(definitions))
    write('enabled_plugins', '[].\n')
    const lines = [
      `listeners.tcp.1 = ${this.address}:${this.port}`,
      `load_definitions = ${join(this.#directory, 'definitions.json')}`,
      'loopback_users = none',
      'log.console = true',
      'log.file = false',
    ]
    if (tls !== undefined) {
      lines.push(
        `listeners.ssl.1 = ${this.address}:${this.#ports.tls}`,
        `ssl_options.cacertfile = ${tls.caFile}`,
        `ssl_options.certfile = ${tls.certFile}`,
        `ssl_options.keyfile = ${tls.keyFile}`,
        'ssl_options.verify = verify_none',
      )
    }
    write('rabbitmq.conf', `${lines.join('\n')}\n`)
  }
}
