/** XDR (RFC 4506) as combinators: a codec both writes and reads one type, so each structure is described once. */
import { Fault } from '../../../../base/errors.ts'

export interface Codec<T> {
  write(out: XdrWriter, value: T): void
  read(input: XdrReader): T
}

/** The TypeScript type that a codec carries. */
export type Carried<C> = C extends Codec<infer T> ? T : never

const zeros = Buffer.alloc(4)

/** Collects the pieces of one message. */
export class XdrWriter {
  readonly #pieces: Buffer[] = []

  uint32(value: number): void {
    const piece = Buffer.allocUnsafe(4)
    piece.writeUInt32BE(value >>> 0)
    this.#pieces.push(piece)
  }

  int64(value: bigint): void {
    const piece = Buffer.allocUnsafe(8)
    piece.writeBigUInt64BE(BigInt.asUintN(64, value))
    this.#pieces.push(piece)
  }

  /** Bytes, filled up with zeros to a multiple of four. */
  bytes(value: Buffer): void {
    this.#pieces.push(value)
    if (value.length % 4 !== 0) this.#pieces.push(zeros.subarray(value.length % 4))
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#pieces)
  }
}

/** Walks over one message. */
export class XdrReader {
  readonly #buffer: Buffer
  #offset = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  uint32(): number {
    return this.#take(4).readUInt32BE()
  }

  int32(): number {
    return this.#take(4).readInt32BE()
  }

  int64(): bigint {
    return this.#take(8).readBigInt64BE()
  }

  double(): number {
    return this.#take(8).readDoubleBE()
  }

  bytes(length: number): Buffer {
    const value = this.#take(length)
    this.#take((4 - (length % 4)) % 4)
    return value
  }

  #take(length: number): Buffer {
    const end = this.#offset + length
    if (end > this.#buffer.length) {
      throw new Fault('unavailable', 'libvirt sent a message that ends in the middle of a value')
    }
    const piece = this.#buffer.subarray(this.#offset, end)
    this.#offset = end
    return piece
  }
}

/** Nothing at all: procedures without arguments or without an answer. */
export const nothing: Codec<void> = { write: () => undefined, read: () => undefined }

export const int: Codec<number> = {
  write: (out, value) => out.uint32(value),
  read: (input) => input.int32(),
}

export const uint: Codec<number> = {
  write: (out, value) => out.uint32(value),
  read: (input) => input.uint32(),
}

/** 64 bits as a number: sizes and times here stay below 2^53, and what is above loses only its last digits. */
export const hyper: Codec<number> = {
  write: (out, value) => out.int64(BigInt(value)),
  read: (input) => Number(input.int64()),
}

export const double: Codec<number> = {
  write(out, value) {
    const piece = Buffer.allocUnsafe(8)
    piece.writeDoubleBE(value)
    out.bytes(piece)
  },
  read: (input) => input.double(),
}

export const text: Codec<string> = {
  write(out, value) {
    const bytes = Buffer.from(value, 'utf8')
    out.uint32(bytes.length)
    out.bytes(bytes)
  },
  read: (input) => input.bytes(input.uint32()).toString('utf8'),
}

/** 16 bytes on the wire, a uuid with dashes here. */
export const uuid: Codec<string> = {
  write: (out, value) => out.bytes(Buffer.from(value.replaceAll('-', ''), 'hex')),
  read: (input) =>
    input
      .bytes(16)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
}

export const nullable = <T>(item: Codec<T>): Codec<T | null> => ({
  write(out, value) {
    out.uint32(value === null ? 0 : 1)
    if (value !== null) item.write(out, value)
  },
  read: (input) => (input.uint32() === 0 ? null : item.read(input)),
})

export const list = <T>(item: Codec<T>): Codec<T[]> => ({
  write(out, values) {
    out.uint32(values.length)
    for (const value of values) item.write(out, value)
  },
  read: (input) => Array.from({ length: input.uint32() }, () => item.read(input)),
})

/** `char name[32]`: XDR spends four bytes on each character. */
export const charArray = (length: number): Codec<string> => ({
  write(out, value) {
    for (let i = 0; i < length; i++) out.uint32(value.charCodeAt(i) || 0)
  },
  read: (input) =>
    String.fromCharCode(...Array.from({ length }, () => input.int32() & 0xff)).replace(/\0.*$/s, ''),
})

type Fields = Record<string, Codec<never>> | Record<string, Codec<unknown>>

/** Fields in their order on the wire. */
export function struct<F extends { [K in keyof F]: F[K] } & Fields>(
  fields: F,
): Codec<{ [K in keyof F]: Carried<F[K]> }> {
  const entries = Object.entries(fields) as [keyof F, Codec<unknown>][]
  return {
    write(out, value) {
      for (const [name, codec] of entries) codec.write(out, value[name])
    },
    read(input) {
      const value: Partial<Record<keyof F, unknown>> = {}
      for (const [name, codec] of entries) value[name] = codec.read(input)
      return value as { [K in keyof F]: Carried<F[K]> }
    },
  }
}
