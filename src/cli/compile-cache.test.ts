import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempDisposable, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const main = join(import.meta.dirname, 'main.ts')

test("what Node compiled is kept in the user's home and not where all may write", async () => {
  await using home = await mkdtempDisposable(join(tmpdir(), 'kilonova-home-'))
  await using temporary = await mkdtempDisposable(join(tmpdir(), 'kilonova-tmp-'))
  const env = { PATH: process.env['PATH'], HOME: home.path, TMPDIR: temporary.path }
  await promisify(execFile)(process.execPath, ['--no-warnings', main, '--version'], { env })
  assert.notDeepEqual(await readdir(join(home.path, '.cache/kilonova')), [])
  assert.deepEqual(await readdir(temporary.path), [])
})
