import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '../../base/errors.ts'
import { parseCommandLine } from './command-line.ts'

test('a command line is read as oslo.config and oslo.log have it', () => {
  const line = '--config-file a --config-file=b --config-dir c --log-file d -d'
  assert.deepEqual(parseCommandLine('nova-api', line.split(' ')), {
    configFiles: ['a', 'b'],
    configDirs: ['c'],
    overrides: { log_file: 'd', debug: 'true' },
    isStrict: false,
    help: false,
    version: false,
  })
  for (const wrong of ['--config', 'sync', '--log-file'])
    assert.throws(
      () => parseCommandLine('nova-api', [wrong]),
      (error) => isFault(error, 'invalid'),
    )
})
