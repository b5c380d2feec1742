import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeUnused } from './mount-points.ts'

test('only empty directories that nobody has mounted over are removed', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'mount-points-'))
  try {
    const [empty, full] = [join(parent, 'empty'), join(parent, 'full')]
    await mkdir(empty)
    await mkdir(full)
    await writeFile(join(full, 'file'), '')
    await removeUnused([empty, full, join(parent, 'never-there'), '/proc'])
    assert.deepEqual(await readdir(parent), ['full'])
  } finally {
    await rm(parent, { recursive: true })
  }
})
