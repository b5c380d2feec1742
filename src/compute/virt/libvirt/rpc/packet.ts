/** The framing of libvirt's RPC: a length word that counts itself, six header words, then the XDR body. */
import { Fault } from '../../../../base/errors.ts'
import { XdrWriter } from './xdr.ts'

export const remoteProgram = 0x20008086
export const keepaliveProgram = 0x6b656570
export const keepalive = { ping: 1, pong: 2 } as const

export const packetType = { call: 0, reply: 1, message: 2 } as const
export const packetStatus = { ok: 0, error: 1 } as const

export interface PacketHeader {
  program: number
  procedure: number
  type: number
  serial: number
  status: number
}

export interface Packet {
  header: PacketHeader
  body: Buffer
}

/** Both programs have had version 1 since they exist. */
const programVersion = 1
const lengthSize = 4
const headerSize = 24
/** libvirt's own limit for one message. */
const longestPacket = 32 * 1024 * 1024

/** One packet, ready for the socket. */
export function encodePacket(header: PacketHeader, writeBody: (out: XdrWriter) => void): Buffer {
  const out = new XdrWriter()
  writeBody(out)
  const body = out.toBuffer()
  const packet = Buffer.allocUnsafe(lengthSize + headerSize + body.length)
  const words = [
    packet.length,
    header.program,
    programVersion,
    header.procedure,
    header.type,
    header.serial,
    header.status,
  ]
  for (const [index, word] of words.entries()) packet.writeUInt32BE(word >>> 0, index * 4)
  body.copy(packet, lengthSize + headerSize)
  return packet
}

/** Cuts what the socket delivers into packets. */
export class PacketSplitter {
  #chunks: Buffer[] = []
  #size = 0

  /** The packets that this chunk completes. */
  push(chunk: Buffer): Packet[] {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    const packets: Packet[] = []
    for (let length = this.#nextLength(); length !== undefined && this.#size >= length; ) {
      const buffered = this.#joined()
      packets.push(decodePacket(buffered.subarray(0, length)))
      this.#chunks = [buffered.subarray(length)]
      this.#size -= length
      length = this.#nextLength()
    }
    return packets
  }

  #nextLength(): number | undefined {
    if (this.#size < lengthSize) return undefined
    const first = this.#chunks[0]!
    const length = (first.length >= lengthSize ? first : this.#joined()).readUInt32BE()
    if (length < lengthSize + headerSize || length > longestPacket) {
      throw new Fault('unavailable', `libvirt sent a packet of impossible length ${length}`)
    }
    return length
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!
  }
}

function decodePacket(bytes: Buffer): Packet {
  const word = (index: number) => bytes.readUInt32BE(lengthSize + index * 4)
  return {
    header: { program: word(0), procedure: word(2), type: word(3), serial: word(4), status: word(5) },
    body: bytes.subarray(lengthSize + headerSize),
  }
}
