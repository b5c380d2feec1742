import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePacket, PacketSplitter, packetStatus, packetType, remoteProgram } from './packet.ts'
import { domain, typedParameter } from './structs.ts'
import { charArray, hyper, list, nullable, struct, text, XdrReader, XdrWriter } from './xdr.ts'

const dom = { name: 'instance-00000001', uuid: '5b5fa3a2-6d0f-4ab4-b0cc-3f4dbf5bdd0d', id: -1 }

test('what a codec writes it also reads, with padding, nulls and negative numbers', () => {
  const shape = struct({
    dom: nullable(domain),
    none: nullable(text),
    list: list(hyper),
    model: charArray(8),
  })
  const value = { dom, none: null, list: [-5, 2 ** 40], model: 'x86_64' }
  const out = new XdrWriter()
  shape.write(out, value)
  const bytes = out.toBuffer()
  assert.equal(bytes.length % 4, 0)
  assert.deepEqual(shape.read(new XdrReader(bytes)), value)
})

test('a typed parameter is read by the type on the wire', () => {
  const out = new XdrWriter()
  text.write(out, 'state.state')
  out.uint32(1)
  out.uint32(5)
  assert.deepEqual(typedParameter.read(new XdrReader(out.toBuffer())), { field: 'state.state', value: 5 })
})

test('a message that ends within a value is refused', () => {
  assert.throws(() => domain.read(new XdrReader(Buffer.from([0, 0, 0, 9, 1]))), /ends in the middle/)
})

test('packets are the same however the socket cuts them', () => {
  const packet = (serial: number) =>
    encodePacket(
      { program: remoteProgram, procedure: 24, type: packetType.reply, serial, status: packetStatus.ok },
      (out) => domain.write(out, dom),
    )
  const stream = Buffer.concat([packet(1), packet(2), packet(3)])
  for (const size of [1, 3, 7, 64, 1000]) {
    const splitter = new PacketSplitter()
    const packets = []
    for (let at = 0; at < stream.length; at += size)
      packets.push(...splitter.push(stream.subarray(at, at + size)))
    assert.deepEqual(
      packets.map(({ header }) => header.serial),
      [1, 2, 3],
    )
    for (const { body } of packets) assert.deepEqual(domain.read(new XdrReader(body)), dom)
  }
})

test('a length that cannot be is an error, not a wait for gigabytes', () => {
  assert.throws(() => new PacketSplitter().push(Buffer.from([0x7f, 0, 0, 0])), /impossible length/)
})
