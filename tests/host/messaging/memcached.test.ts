/** The token cache in a real memcached, which may be away at any time. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { AuthContext } from '../../../src/base/auth/context.ts'
import { sleep } from '../../../src/base/clock.ts'
import { memcachedTokenCache, parseMemcachedServer } from '../../../src/identity/client/memcached.ts'
import type { Strategy } from '../../../src/identity/client/sealed.ts'
import { Memcached, whyNoMemcached } from '../../../src/testing/memcached.ts'
import { until } from '../../../src/testing/until.ts'
import { recordingLog } from './broker.ts'

const skip = whyNoMemcached() ?? false
const token = 'gAAAAABsecret-token'
const context = { userId: 'u1', projectId: 'p1', roles: ['member'], token } as unknown as AuthContext
const soon = (seconds = 30) => Date.now() + seconds * 1000

test('a token that one process found valid another finds, signed or encrypted or neither', {
  skip,
}, async () => {
  await using memcached = await Memcached.start()
  const { log, lines } = recordingLog()
  const servers = [memcached.address]
  const strategies: Strategy[] = [
    { kind: 'none' },
    { kind: 'mac', secret: 's1' },
    { kind: 'encrypt', secret: 's1' },
  ]
  for (const strategy of strategies) {
    using one = memcachedTokenCache({ servers, strategy, log })
    using two = memcachedTokenCache({ servers, strategy, log })
    assert.equal(await two.find(token), undefined)
    const remembered = { context, until: soon() }
    await one.remember(token, remembered)
    assert.deepEqual(await two.find(token), remembered)
    assert.equal(await two.find('another'), undefined)
    if (strategy.kind === 'none') continue
    using stranger = memcachedTokenCache({ servers, strategy: { ...strategy, secret: 's2' }, log })
    assert.equal(await stranger.find(token), undefined)
  }
  using short = memcachedTokenCache({ servers, strategy: { kind: 'none' }, log })
  await short.remember(token, { context, until: soon(1) })
  await until(
    async () => ((await short.find(token)) === undefined ? true : undefined),
    'the end of the entry',
  )
  assert.equal(lines.length, 0)
  assert.equal((await dump(memcached.port)).includes('secret-token'), false)
})

test('without memcached, or when it stops or hangs, tokens are looked up elsewhere, and the log says so once', {
  skip,
}, async () => {
  await using memcached = await Memcached.start()
  const { log, lines } = recordingLog()
  using cache = memcachedTokenCache({
    servers: [memcached.address],
    strategy: { kind: 'none' },
    log,
    deadRetrySeconds: 0.2,
    timeoutSeconds: 0.2,
  })
  const remembered = { context, until: soon() }
  const found = async () => ((await cache.find(token)) === undefined ? undefined : true)
  await cache.remember(token, remembered)
  assert.ok(await found())

  await memcached.stop()
  for (let times = 0; times < 5; times++) {
    await cache.remember(token, remembered)
    assert.equal(await cache.find(token), undefined)
    await sleep(100)
  }
  await memcached.start()
  const back = async () => {
    await cache.remember(token, remembered)
    return found()
  }
  await until(back, 'memcached to be used again')

  memcached.signal('SIGSTOP')
  const asked = await Promise.all(Array.from({ length: 20 }, () => cache.find(token)))
  assert.deepEqual(new Set(asked), new Set([undefined]))
  memcached.signal('SIGCONT')
  await until(back, 'memcached to be used again')

  assert.deepEqual(
    lines.map(({ level }) => level),
    ['warn', 'info', 'warn', 'info'],
  )
  assert.match(lines[0]!.msg, new RegExp(`memcached at ${memcached.address} fails`))
})

test('servers are named as python-memcached names them', () => {
  assert.deepEqual(parseMemcachedServer('controller:11211'), { host: 'controller', port: 11211 })
  assert.deepEqual(parseMemcachedServer(' controller '), { host: 'controller', port: 11211 })
  assert.deepEqual(parseMemcachedServer('inet6:[fd00::1]:5'), { host: 'fd00::1', port: 5 })
  assert.throws(() => parseMemcachedServer('controller:port'), /memcached_servers: 'controller:port'/)
})

/** Everything that stands in memcached, keys and values. */
async function dump(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8').on('data', (more) => {
    text += more
  })
  await once(socket, 'connect')
  socket.write('lru_crawler metadump all\r\n')
  await until(async () => (/END\r?\n$/.test(text) ? true : undefined), 'the keys')
  const keys = [...text.matchAll(/key=(\S+)/g)].map(([, key]) => decodeURIComponent(key!))
  assert.ok(keys.length > 0)
  text += keys.join('\n')
  socket.write(`get ${keys.join(' ')}\r\nversion\r\n`)
  await until(async () => (/VERSION/.test(text) ? true : undefined), 'the values')
  socket.destroy()
  return text
}
