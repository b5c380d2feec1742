/** The helper as it is, but for sudo. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { isFault } from '../../base/errors.ts'
import { silentLogger } from '../../base/log.ts'
import { hostRun } from '../run.ts'
import { helperCommand, helperProgram, rootHelper } from './client.ts'
import { serve } from './helper/serve.ts'
import { caller } from './testing.ts'

const asIfBySudo = `/usr/bin/env SUDO_UID=${caller.uid} SUDO_GID=${caller.gid}`
const skip = ['/sbin/ip', '/usr/sbin/ip', '/usr/bin/ip'].some((file) => existsSync(file)) ? false : 'needs ip'

const start = (how = asIfBySudo, log = silentLogger) =>
  rootHelper({ project: 'neutron', rootHelper: how, log })

test('the helper is started as the configuration says, in place of the one of OpenStack', () => {
  const own = [helperProgram, 'neutron']
  assert.deepEqual(helperCommand('sudo', 'neutron'), ['sudo', '-n', ...own])
  assert.deepEqual(helperCommand('/usr/bin/sudo -n', 'neutron'), ['/usr/bin/sudo', '-n', ...own])
  assert.deepEqual(helperCommand('sudo neutron-rootwrap /etc/neutron/rootwrap.conf', 'neutron'), [
    'sudo',
    '-n',
    ...own,
  ])
  assert.deepEqual(
    helperCommand('sudo /usr/bin/neutron-rootwrap-daemon /etc/neutron/rootwrap.conf', 'neutron'),
    ['sudo', '-n', ...own],
  )
  assert.deepEqual(helperCommand('doas', 'nova'), ['doas', helperProgram, 'nova'])
})

test('several commands at once are each answered with their own', { skip }, async () => {
  using helper = start()
  const run = hostRun(silentLogger, helper)
  const families = Array.from({ length: 80 }, (_, index) => (index % 2 === 0 ? '-4' : '-6'))
  const answers = await Promise.all(families.map((family) => run('ip', ['-json', family, 'route', 'show'])))
  const expected = new Map(
    ['-4', '-6'].map((family) => [
      family,
      execFileSync('ip', ['-json', family, 'route', 'show'], { encoding: 'utf8' }),
    ]),
  )
  assert.deepEqual(
    answers.map(({ stdout }) => stdout),
    families.map((family) => expected.get(family)),
  )
})

test('what needs no root is not asked of the helper', async () => {
  using helper = start('/does/not/exist')
  assert.equal((await hostRun(silentLogger, helper)('echo', ['hello'])).stdout, 'hello\n')
})

test('a command that is denied is a clear error, and stands in the log of the program', {
  skip,
}, async () => {
  const said = Promise.withResolvers<string>()
  const warn = ({ helper }: { helper: string }) => said.resolve(helper)
  const log = Object.assign(Object.create(silentLogger), { warn }) as typeof silentLogger
  using helper = start(asIfBySudo, log)
  const run = hostRun(log, helper)
  await assert.rejects(run('ip', ['netns', 'exec', 'x', 'sh', '-c', 'id']), (error) => {
    assert.ok(isFault(error, 'forbidden'))
    assert.match(error.message, /privileged helper denies ip/)
    return true
  })
  assert.match(await said.promise, /asked by uid 64061: denied: .*netns.*exec/)
  // It goes on with what is allowed.
  assert.equal((await run('ip', ['-json', 'netns', 'list'])).code, 0)
})

test('a helper that cannot be started is told of with its words', async () => {
  using none = start('/does/not/exist')
  await assert.rejects(hostRun(silentLogger, none)('ip', ['netns', 'list']), (error) => {
    assert.ok(isFault(error, 'unavailable'))
    assert.match(error.message, /\/does\/not\/exist .*could not be started.*ENOENT/)
    return true
  })
  using refusing = start("/bin/sh -c echo\t'no")
  await assert.rejects(hostRun(silentLogger, refusing)('ip', ['netns', 'list']), (error) =>
    isFault(error, 'unavailable'),
  )
})

test('a helper that dies fails what it was asked, and is started again', { skip }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rootwrap-'))
  try {
    const pidFile = join(directory, 'pid')
    const script = join(directory, 'start')
    writeFileSync(script, `#!/bin/sh\necho $$ > ${pidFile}\nexec ${asIfBySudo} "$@"\n`)
    chmodSync(script, 0o755)
    using helper = start(script)
    const run = hostRun(silentLogger, helper)
    const list = () => run('ip', ['-json', 'netns', 'list'])
    await list()
    const pid = Number(readFileSync(pidFile, 'utf8'))
    process.kill(pid, 'SIGSTOP')
    const asked = list()
    process.kill(pid, 'SIGKILL')
    await assert.rejects(asked, (error) => {
      assert.ok(isFault(error, 'unavailable'))
      assert.match(error.message, /ended with SIGKILL/)
      return true
    })
    await list()
    assert.notEqual(Number(readFileSync(pidFile, 'utf8')), pid)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a helper that hangs is given up, and lets go of its pipe', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rootwrap-'))
  try {
    const script = join(directory, 'start')
    writeFileSync(script, '#!/bin/sh\nexec cat > /dev/null\n')
    chmodSync(script, 0o755)
    using helper = rootHelper({
      project: 'neutron',
      rootHelper: script,
      log: silentLogger,
      spareSeconds: 0.01,
    })
    const asked = hostRun(silentLogger, helper)('ip', ['netns', 'list'], { timeoutSeconds: 0.01 })
    await assert.rejects(asked, (error) => {
      assert.ok(isFault(error, 'unavailable'))
      assert.match(error.message, /gave no answer in 0\.02 s/)
      return true
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a helper whose parent is gone ends, once it has done what it was asked', { skip }, async () => {
  const answers = new PassThrough()
  const request = JSON.stringify({ id: 7, command: 'ip', args: ['-json', 'netns', 'list'] })
  const told: string[] = []
  const serving = {
    project: 'neutron' as const,
    caller,
    answers,
    tell: async (line: string) => void told.push(line),
  }
  await serve({ ...serving, requests: Readable.from([Buffer.from(`${request}\n{"id":8`)]) })
  assert.equal(JSON.parse(String(answers.read())).id, 7)
  assert.deepEqual(told, [])
})

test('what is no request ends the helper and is told of; one in many pieces, and one of megabytes, are requests', async () => {
  const told: string[] = []
  const answers = new PassThrough({ highWaterMark: 1 << 30 })
  const serving = {
    project: 'neutron' as const,
    caller,
    answers,
    tell: async (line: string) => void told.push(line),
  }
  for (const wrong of ['null', 'x', '[]', '{"id":1,"command":"ip"}', '{"id":1,"command":"ip","args":[1]}'])
    await serve({ ...serving, requests: Readable.from([Buffer.from(`${wrong}\n`)]) })
  assert.equal(told.length, 5)
  assert.equal(answers.read(), null)
  const input = `${'add NIPv4aaaa 10.0.0.1\n'.repeat(200_000)}flush\n`
  const text = JSON.stringify({ id: 9, command: 'ipset', args: ['-exist', 'restore'], input })
  const bytes = Buffer.from(`${text}\n`)
  const pieces = Array.from({ length: 100 }, (_, index) => {
    const size = Math.ceil(bytes.length / 100)
    return bytes.subarray(index * size, (index + 1) * size)
  })
  await serve({ ...serving, requests: Readable.from(pieces) })
  assert.match(JSON.parse(String(answers.read())).denied, /the line: flush/)
})
