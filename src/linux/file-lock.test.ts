import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockFile } from './file-lock.ts'

async function directory() {
  const path = await mkdtemp(join(tmpdir(), 'kilonova-lock-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

test('one has the lock, the next waits for it, and who gives up does not get it', async () => {
  await using place = await directory()
  const file = join(place.path, 'made', 'program.lock')
  let waited = 0
  const onWait = () => {
    waited++
  }
  const first = await lockFile(file, { onWait })
  assert.equal(waited, 0)
  const giveUp = new AbortController()
  const impatient = lockFile(file, { onWait: () => giveUp.abort(), signal: giveUp.signal })
  await assert.rejects(impatient)
  const asked = Promise.withResolvers<void>()
  const second = lockFile(file, { onWait: () => asked.resolve() })
  await asked.promise
  let has = false
  void second.then(() => {
    has = true
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(has, false)
  await first[Symbol.asyncDispose]()
  await (await second)[Symbol.asyncDispose]()
  await using _again = await lockFile(file, { onWait })
  assert.equal(waited, 0)
})

test('a directory that cannot be made is told with its path', async () => {
  await using place = await directory()
  const file = join(place.path, 'file')
  await writeFile(file, '')
  await assert.rejects(lockFile(join(file, 'x.lock')), /The lock .*file\/x\.lock cannot be made/)
})
