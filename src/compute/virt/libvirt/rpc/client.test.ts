import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isFault } from '../../../../base/errors.ts'
import { silentLogger } from '../../../../base/log.ts'
import { LibvirtClient } from './client.ts'
import {
  encodePacket,
  keepalive,
  keepaliveProgram,
  type Packet,
  PacketSplitter,
  packetType,
  remoteProgram,
} from './packet.ts'
import { type LifecycleMessage, lifecycleMessage, procedures } from './procedures.ts'
import { remoteError } from './structs.ts'
import type { XdrWriter } from './xdr.ts'

const dom = { name: 'instance-00000001', uuid: '5b5fa3a2-6d0f-4ab4-b0cc-3f4dbf5bdd0d', id: 3 }

/** Just enough of libvirtd: opens, knows no domain, says its name, and sends what a test tells it to. */
class FakeLibvirtd implements AsyncDisposable {
  readonly path: string
  readonly received: Packet[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  constructor(path: string) {
    this.path = path
    this.#server = createServer((socket) => {
      const splitter = new PacketSplitter()
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => undefined)
      socket.on('data', (chunk: Buffer) => {
        for (const packet of splitter.push(chunk)) {
          this.received.push(packet)
          this.#answer(socket, packet)
        }
      })
    })
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(this.path, resolve)
    })
  }

  send(program: number, procedure: number, write: (out: XdrWriter) => void): void {
    const header = { program, procedure, type: packetType.message, serial: 0, status: 0 }
    for (const socket of this.#sockets) socket.write(encodePacket(header, write))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#server.close(resolve)
    })
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #answer(socket: Socket, { header }: Packet): void {
    const reply = (status: number, write: (out: XdrWriter) => void) =>
      socket.write(encodePacket({ ...header, type: packetType.reply, status }, write))
    const number = header.procedure
    if (header.program !== remoteProgram) return
    if (number === procedures.authList.number)
      reply(0, (out) => procedures.authList.reply.write(out, { types: [0] }))
    else if (number === procedures.connectGetHostname.number) {
      reply(0, (out) => procedures.connectGetHostname.reply.write(out, { hostname: 'fake' }))
    } else if (number === procedures.connectDomainEventCallbackRegisterAny.number) {
      reply(0, (out) => procedures.connectDomainEventCallbackRegisterAny.reply.write(out, { callback: 1 }))
    } else if (number === procedures.domainLookupByUuid.number) {
      const error = { code: 42, domain: 10, message: 'Domain not found', level: 2, dom: null }
      const rest = { str1: null, str2: null, str3: null, int1: -1, int2: -1, net: null }
      reply(1, (out) => remoteError.write(out, { ...error, ...rest }))
    } else if (number !== procedures.connectGetCapabilities.number) reply(0, () => undefined)
  }
}

interface World extends AsyncDisposable {
  daemon: () => FakeLibvirtd
  restart: () => Promise<void>
  client: LibvirtClient
  nextEvent: () => Promise<LifecycleMessage>
  reconnected: Promise<void>
}

async function startWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'libvirt-client-'))
  let daemon = new FakeLibvirtd(join(directory, 'sock'))
  const reconnected = Promise.withResolvers<void>()
  let event = Promise.withResolvers<LifecycleMessage>()
  const client = new LibvirtClient({
    socketPath: daemon.path,
    log: silentLogger,
    onLifecycle: (message) => event.resolve(message),
    onReconnect: () => reconnected.resolve(),
  })
  return {
    client,
    reconnected: reconnected.promise,
    daemon: () => daemon,
    restart: async () => {
      await daemon[Symbol.asyncDispose]()
      daemon = new FakeLibvirtd(daemon.path)
      await daemon.listen()
    },
    nextEvent: () => {
      event = Promise.withResolvers()
      return event.promise
    },
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]()
      await daemon[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
}

const sendLifecycle = (world: World, event: number) =>
  world
    .daemon()
    .send(remoteProgram, lifecycleMessage.number, (out) =>
      lifecycleMessage.body.write(out, { callback: 1, dom, event, detail: 0 }),
    )

test('the client waits for a libvirtd that is not there yet, then calls it', async () => {
  await using world = await startWorld()
  const started = world.client.start()
  await world.daemon().listen()
  await started
  assert.deepEqual(await world.client.call('connectGetHostname', undefined), { hostname: 'fake' })
})

test("libvirt's error is a Fault with libvirt's code", async () => {
  await using world = await startWorld()
  await world.daemon().listen()
  await world.client.start()
  await assert.rejects(
    world.client.call('domainLookupByUuid', { uuid: dom.uuid }),
    (error) => isFault(error, 'not-found') && error.details['libvirtCode'] === 42,
  )
})

test('after libvirtd comes back, calls and events work again', async () => {
  await using world = await startWorld()
  await world.daemon().listen()
  await world.client.start()
  const lost = world.client.call('connectGetCapabilities', undefined)
  const refused = assert.rejects(lost, /outcome of connectGetCapabilities is unknown/)
  await world.restart()
  await refused
  assert.deepEqual(await world.client.call('connectGetHostname', undefined), { hostname: 'fake' })
  await world.reconnected
  const event = world.nextEvent()
  sendLifecycle(world, 5)
  assert.equal((await event).event, 5)
})

test('keepalive pings are answered', async () => {
  await using world = await startWorld()
  await world.daemon().listen()
  await world.client.start()
  world.daemon().send(keepaliveProgram, keepalive.ping, () => undefined)
  await world.client.call('connectGetHostname', undefined)
  // The answer went out before the call's reply came back only if the ping was read first; a second call settles it.
  await world.client.call('connectGetHostname', undefined)
  const pongs = world.daemon().received.filter(({ header }) => header.program === keepaliveProgram)
  assert.deepEqual(
    pongs.map(({ header }) => header.procedure),
    [keepalive.pong],
  )
})
