import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const nova = join(import.meta.dirname, '../../../bin/nova-api')

test('with --strict-config a program with a misspelt option does not start, and its log says which', () => {
  const directory = mkdtempSync(join(tmpdir(), 'strict-config-'))
  try {
    const [file, log] = [join(directory, 'nova.conf'), join(directory, 'nova-api.log')]
    writeFileSync(file, '[DEFAULT]\nenable_apis = metadata\n')
    const args = ['--strict-config', '--config-file', file, '--log-file', log]
    const { status, stderr } = spawnSync(nova, args, { encoding: 'utf8' })
    assert.equal(status, 1, stderr)
    assert.match(stderr, /^nova-api: --strict-config: the configuration has errors/m)
    assert.match(readFileSync(log, 'utf8'), /nova\.conf:2: \[DEFAULT\] enable_apis is no option of nova/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
