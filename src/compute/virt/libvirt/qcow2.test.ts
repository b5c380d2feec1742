import assert from 'node:assert/strict'
import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readQcow2, writeOverlay } from './qcow2.ts'

async function temporary(): Promise<AsyncDisposable & { path: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'qcow2-'))
  return {
    path: join(directory, 'disk'),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}

async function patch(path: string, offset: number, bytes: readonly number[]): Promise<void> {
  await using file = await open(path, 'r+')
  await file.write(Buffer.from(bytes), 0, bytes.length, offset)
}

test('an empty disk is written with its size and read back', async () => {
  await using disk = await temporary()
  await writeOverlay(disk.path, { virtualSize: 3 * 1024 ** 4 + 1 })
  assert.deepEqual(await readQcow2(disk.path), { virtualSize: 3 * 1024 ** 4 + 512 })
  // 6,145 entries of the L1 table fit into one cluster.
  assert.equal((await stat(disk.path)).size, 4 * 65536)
})

test('an overlay names its backing file and its format, so that QEMU guesses nothing', async () => {
  await using disk = await temporary()
  await writeOverlay(disk.path, { virtualSize: 1024 ** 3, backing: { path: '/base/x', format: 'raw' } })
  const header = await readFile(disk.path)
  const at = Number(header.readBigUInt64BE(8))
  assert.equal(header.subarray(at, at + header.readUInt32BE(16)).toString(), '/base/x')
  assert.equal(header.readUInt32BE(104), 0xe2792aca)
  assert.equal(header.subarray(112, 115).toString(), 'raw')
})

test('an existing disk is never overwritten', async () => {
  await using disk = await temporary()
  await writeOverlay(disk.path, { virtualSize: 512 })
  await assert.rejects(writeOverlay(disk.path, { virtualSize: 512 }), /EEXIST/)
})

const hostile: readonly [string, number, readonly number[], RegExp][] = [
  ['that is no qcow2', 0, [0], /no qcow2 file/],
  ['of another version', 7, [9], /version is 9/],
  ['with a backing file', 15, [200], /backing file/],
  ['with an external data file', 79, [4], /data are in another file/],
  ['that is encrypted', 35, [2], /encrypted/],
  ['that is corrupt', 79, [2], /corrupt/],
  ['with unknown features', 72, [0x80], /features that are not known/],
]

for (const [what, offset, bytes, message] of hostile) {
  test(`an image ${what} is refused`, async () => {
    await using disk = await temporary()
    await writeOverlay(disk.path, { virtualSize: 1024 ** 3 })
    await patch(disk.path, offset, bytes)
    await assert.rejects(readQcow2(disk.path), message)
  })
}
