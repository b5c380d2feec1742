/** One connection to libvirtd: calls matched to replies by serial number, events as they come, keepalives answered. */
import { connect, type Socket } from 'node:net'
import { Fault, isFault } from '../../../../base/errors.ts'
import { lifecycleEventId } from './constants.ts'
import { libvirtFault } from './fault.ts'
import {
  encodePacket,
  keepalive,
  keepaliveProgram,
  type Packet,
  PacketSplitter,
  packetStatus,
  packetType,
  remoteProgram,
} from './packet.ts'
import {
  type Args,
  type LifecycleMessage,
  lifecycleMessage,
  type ProcedureName,
  procedures,
  type Reply,
} from './procedures.ts'
import { remoteError } from './structs.ts'
import { type Codec, XdrReader } from './xdr.ts'

export interface ConnectionOptions {
  socketPath: string
  /** What libvirtd manages here: `qemu:///system`. */
  uri: string
  onLifecycle: (message: LifecycleMessage) => void
}

/** A start of a guest or a managed save on a busy host takes its time; a libvirtd that hangs is found after this. */
const callTimeoutSeconds = 300
/** To the first question, which needs no hypervisor. */
const answerSeconds = 10
/** `VIR_AUTH_NONE` among what libvirtd offers. */
const authNone = 0

interface Pending {
  procedure: ProcedureName
  settle: (packet: Packet) => void
  fail: (error: Fault) => void
}

export class Connection implements AsyncDisposable {
  /** Resolves with the reason when the connection has ended, whoever ended it. */
  readonly closed: Promise<Fault>
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #pending = new Map<number, Pending>()
  readonly #end = Promise.withResolvers<Fault>()
  #serial = 0
  #ended = false

  private constructor(socket: Socket, options: ConnectionOptions) {
    this.closed = this.#end.promise
    this.#socket = socket
    this.#options = options
    const splitter = new PacketSplitter()
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const packet of splitter.push(chunk)) this.#receive(packet)
      } catch (error) {
        this.#close('libvirtd and this program do not understand each other', error)
      }
    })
    socket.on('error', (error) => this.#close('the connection to libvirtd broke', error))
    socket.on('close', () => this.#close('libvirtd closed the connection'))
  }

  /** Connects, opens the hypervisor and asks for lifecycle events. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(await openSocket(options.socketPath), options)
    try {
      const { types } = await connection.call('authList', undefined)
      if (types.length > 0 && !types.includes(authNone)) {
        throw new Fault(
          'unauthenticated',
          `libvirtd at ${options.socketPath} wants a login; run as root or allow this user in its polkit rules`,
        )
      }
      await connection.call('connectOpen', { name: options.uri, flags: 0 })
      await connection.call('connectDomainEventCallbackRegisterAny', { event: lifecycleEventId, dom: null })
      return connection
    } catch (error) {
      await connection[Symbol.asyncDispose]()
      throw error
    }
  }

  /** True when a libvirtd is behind the socket and talks: one that is just dying still lets clients connect. */
  static async answers(socketPath: string): Promise<boolean> {
    try {
      await using connection = new Connection(await openSocket(socketPath), {
        socketPath,
        uri: '',
        onLifecycle: () => undefined,
      })
      await connection.call('authList', undefined, answerSeconds)
      return true
    } catch (error) {
      if (isFault(error, 'unavailable')) return false
      throw error
    }
  }

  call<P extends ProcedureName>(
    name: P,
    args: Args<P>,
    timeoutSeconds = callTimeoutSeconds,
  ): Promise<Reply<P>> {
    if (this.#ended) return Promise.reject(new Fault('unavailable', 'the connection to libvirtd is closed'))
    const procedure = procedures[name]
    const serial = ++this.#serial
    const { promise, resolve, reject } = Promise.withResolvers<Reply<P>>()
    const timer = setTimeout(() => {
      this.#close(`libvirtd did not answer ${name} within ${timeoutSeconds} s`)
    }, timeoutSeconds * 1000)
    this.#pending.set(serial, {
      procedure: name,
      settle: (packet) => {
        clearTimeout(timer)
        const input = new XdrReader(packet.body)
        if (packet.header.status === packetStatus.error) reject(libvirtFault(name, remoteError.read(input)))
        else resolve((procedure.reply as Codec<Reply<P>>).read(input))
      },
      fail: (error) => {
        clearTimeout(timer)
        reject(error)
      },
    })
    const header = {
      program: remoteProgram,
      procedure: procedure.number,
      type: packetType.call,
      serial,
      status: packetStatus.ok,
    }
    this.#socket.write(encodePacket(header, (out) => (procedure.args as Codec<Args<P>>).write(out, args)))
    return promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close('the connection to libvirtd was closed by this program')
    await this.closed
  }

  #receive(packet: Packet): void {
    const { program, procedure, type, serial } = packet.header
    if (program === keepaliveProgram) {
      if (procedure === keepalive.ping) this.#pong()
    } else if (type === packetType.reply) {
      const pending = this.#pending.get(serial)
      this.#pending.delete(serial)
      pending?.settle(packet)
    } else if (type === packetType.message && procedure === lifecycleMessage.number) {
      this.#options.onLifecycle(lifecycleMessage.body.read(new XdrReader(packet.body)))
    }
  }

  #pong(): void {
    const header = {
      program: keepaliveProgram,
      procedure: keepalive.pong,
      type: packetType.message,
      serial: 0,
      status: packetStatus.ok,
    }
    this.#socket.write(encodePacket(header, () => undefined))
  }

  #close(reason: string, cause?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#socket.destroy()
    for (const { procedure, fail } of this.#pending.values()) {
      fail(new Fault('unavailable', `${reason}, so the outcome of ${procedure} is unknown`, {}, cause))
    }
    this.#pending.clear()
    this.#end.resolve(new Fault('unavailable', reason, {}, cause))
  }
}

function openSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const refused = (error: Error) => {
      reject(new Fault('unavailable', `libvirtd does not answer at ${path}`, { path }, error))
    }
    socket.once('error', refused)
    socket.once('connect', () => {
      socket.off('error', refused)
      resolve(socket)
    })
  })
}
