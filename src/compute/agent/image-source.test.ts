import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { ImageClient } from '#image/client.ts'
import { imageSource } from './image-source.ts'

const giving = (bytes: string, hash: string): ImageClient =>
  ({
    download: async () => ({
      stream: Readable.from([Buffer.from(bytes)]),
      size: bytes.length,
      hash: { algorithm: 'sha512', value: hash },
    }),
  }) as unknown as ImageClient

test('an image becomes a file when its hash is right, and nothing when it is not', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'images-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'image')
  const right = createHash('sha512').update('bytes').digest('hex')
  await imageSource(giving('bytes', right)).download('i', path)
  assert.equal(readFileSync(path, 'utf8'), 'bytes')
  const wrong = join(directory, 'wrong')
  await assert.rejects(imageSource(giving('other', right)).download('i', wrong), /it should have/)
  assert.equal(existsSync(wrong), false)
})
