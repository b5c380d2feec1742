import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { linkSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { consoleTail, NotRead } from './console-tail.ts'

/** The helper reads no log without it. */
const isProtected = readFileSync('/proc/sys/fs/protected_hardlinks', 'utf8').trim() === '1'
const skip = isProtected ? false : 'needs fs.protected_hardlinks = 1'

test('the end of a log is read, and no log is an empty one', { skip }, async () => {
  await using stack = new AsyncDisposableStack()
  const directory = mkdtempSync(join(tmpdir(), 'console-'))
  stack.defer(() => rmSync(directory, { recursive: true }))
  const log = join(directory, 'console.log')
  assert.equal(await consoleTail(log, 100), '')
  writeFileSync(log, 'hello, guest\n')
  assert.equal(Buffer.from(await consoleTail(log, 6), 'base64').toString(), 'guest\n')
  assert.equal(Buffer.from(await consoleTail(log, 100), 'base64').toString(), 'hello, guest\n')
})

test('what the owner of the directory may have put in its place is not read', async () => {
  await using stack = new AsyncDisposableStack()
  const directory = mkdtempSync(join(tmpdir(), 'console-'))
  stack.defer(() => rmSync(directory, { recursive: true }))
  const secret = join(directory, 'secret')
  writeFileSync(secret, 'secret')
  const refused = (name: string) => assert.rejects(consoleTail(join(directory, name), 100), NotRead)
  symlinkSync(secret, join(directory, 'symbolic'))
  await refused('symbolic')
  linkSync(secret, join(directory, 'hard'))
  await refused('hard')
  execFileSync('mkfifo', [join(directory, 'pipe')])
  await refused('pipe')
  await refused('.')
})
