import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLogger, withLogContext } from './log.ts'

test('a line carries where it comes from, and no secret at its top or one level below', () => {
  const directory = mkdtempSync(join(tmpdir(), 'log-'))
  const path = join(directory, 'deep', 'log')
  const log = createLogger({ destination: path })
  const headers = { 'x-auth-token': 'hidden', accept: 'json' }
  withLogContext({ requestId: 'req-1' }, () => {
    log.info({ password: 'hidden', headers, items: [1] }, 'hello')
    log.error({ err: new Error('broken') }, 'bad')
  })
  const text = readFileSync(path, 'utf8')
  const [first, second] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    [first.level, first.requestId, first.password, first.headers, first.items, first.msg],
    ['info', 'req-1', '***', { 'x-auth-token': '***', accept: 'json' }, [1], 'hello'],
  )
  assert.deepEqual([second.level, second.err.message], ['error', 'broken'])
  assert.doesNotMatch(text, /hidden/)
  assert.equal(headers['x-auth-token'], 'hidden')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  rmSync(directory, { recursive: true })
})
