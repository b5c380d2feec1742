import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '../base/log.ts'
import { FileStore } from './backends/file-store.ts'
import { recover } from './recover.ts'
import { moveImage } from './store/images.ts'
import { testImage } from './testing.ts'

test('what another process is at is left alone; what a dead one left is cleared', async () => {
  await using world = await testImage()
  const { db } = world.service
  const directory = join(world.directory, 'images')
  const [kept, id] = [await world.image('alice', {}, Buffer.alloc(10)), await world.image('alice', {})]
  await moveImage(db, id, 'queued', 'saving')
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, `${id}.${'0'.repeat(32)}.part`), 'half')
  await writeFile(join(directory, 'of-no-image'), 'all')
  const deps = {
    db,
    store: new FileStore(directory),
    staging: new FileStore(join(world.directory, 'staging')),
    log: silentLogger,
  }
  const status = async () => (await world.call('alice', 'GET', `/v2/images/${id}`)).body.status
  await recover({ ...deps, before: new Date(Date.now() - 60_000) })
  assert.deepEqual([await status(), (await world.files()).length], ['saving', 3])
  await recover({ ...deps, before: new Date(Date.now() + 1000) })
  assert.deepEqual([await status(), await world.files()], ['queued', [kept]])
})
