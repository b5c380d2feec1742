import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { silentLogger } from '../../../base/log.ts'
import { hostRun } from '../../../linux/run.ts'
import { guestSources } from './guest-files.ts'

const run = hostRun(silentLogger)
const pathOf = (source: string) => fileURLToPath(new URL(`./guest/${source}`, import.meta.url))

test('every script of the guest is a shell script that parses', async () => {
  for (const source of guestSources.filter((name) => name.endsWith('.sh'))) {
    await run('sh', ['-n', pathOf(source)])
  }
})

test('the guest reads metadata as JSON, with escapes and nesting', async () => {
  const metadata = {
    uuid: '5b5f',
    public_keys: { 'my.key': 'ssh-ed25519 AAAA/+= me\n' },
    keys: [{ name: 'k' }, { name: 'l' }],
    admin_pass: 'a"b\\c',
    launch_index: 0,
    devices: [],
    meta: {},
    project: null,
  }
  const { stdout } = await run('awk', ['-f', pathOf('json.awk')], {
    input: JSON.stringify(metadata, null, 1),
  })
  assert.deepEqual(stdout.trim().split('\n'), [
    'uuid\t5b5f',
    'public_keys.my.key\tssh-ed25519 AAAA/+= me',
    'keys.0.name\tk',
    'keys.1.name\tl',
    'admin_pass\ta"b\\c',
    'launch_index\t0',
    'project\tnull',
  ])
})
