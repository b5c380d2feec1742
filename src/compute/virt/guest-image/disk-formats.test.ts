import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpioArchive, cpioMode } from './cpio.ts'
import { masterBootRecord } from './partition-table.ts'

test('an initramfs archive has aligned entries and an end', () => {
  const archive = cpioArchive([
    { path: 'bin', mode: cpioMode.directory },
    { path: 'bin/sh', mode: cpioMode.program, content: Buffer.from('12345') },
    { path: 'dev/console', mode: cpioMode.device, device: [5, 1] },
  ])
  assert.equal(archive.length % 4, 0)
  const names = [...archive.toString('latin1').matchAll(/070701[0-9a-f]{104}([^\0]+)\0/g)].map(
    ([, name]) => name,
  )
  assert.deepEqual(names, ['bin', 'bin/sh', 'dev/console', 'TRAILER!!!'])
  for (const { index } of archive.toString('latin1').matchAll(/070701/g)) assert.equal(index % 4, 0)
})

test('the boot record holds its program, its partitions and the signature', () => {
  const sector = masterBootRecord(Buffer.alloc(440, 0x90), [
    { startSector: 2048, sectors: 4096, type: 0x0e, active: true },
    { startSector: 6144, sectors: 8192, type: 0x83, active: false },
  ])
  assert.equal(sector.length, 512)
  assert.equal(sector[439], 0x90)
  assert.equal(sector[446], 0x80)
  assert.equal(sector.readUInt32LE(446 + 8), 2048)
  assert.equal(sector[462 + 4], 0x83)
  assert.equal(sector.readUInt32LE(462 + 12), 8192)
  assert.equal(sector.readUInt16LE(510), 0xaa55)
})
