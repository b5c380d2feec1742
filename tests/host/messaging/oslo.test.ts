/** Ours and the real oslo.messaging with each other, so that real agents and ours can be mixed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { parseTransportUrl } from '../../../src/base/bus/transport-url.ts'
import { sleep } from '../../../src/base/clock.ts'
import { Fault, isFault } from '../../../src/base/errors.ts'
import { withLogContext } from '../../../src/base/log.ts'
import { skip as noRabbitmq, openBusFor, sharedRabbitmq } from './broker.ts'

const script = join(import.meta.dirname, 'oslo.py')
const python = '/usr/bin/python3'
const hasOslo = spawnSync(python, ['-c', 'import oslo_messaging']).status === 0
const skip = noRabbitmq || (hasOslo ? false : 'apt-get install python3-oslo.messaging')

/** The distribution's Python, with what it says as JSON values. */
function startPython(t: TestContext, mode: string, url: string, durable = true) {
  const args = [script, mode, url, 'nova', durable ? 'durable' : 'transient']
  const child = spawn(python, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next()
    return done ? undefined : JSON.parse(value)
  }
  return { child, next }
}

async function ended(child: ChildProcess): Promise<void> {
  child.stdin?.end()
  if (child.exitCode === null) await once(child, 'exit')
}

test('a real oslo.messaging client calls, casts and fans out to our server', { skip }, async (t) => {
  const url = (await sharedRabbitmq()).ownUrl()
  const bus = openBusFor(t, url)
  const told: unknown[] = []
  const all = Promise.withResolvers<void>()
  const contexts: unknown[] = []
  await bus.serve(
    { topic: 'sums', server: 'ours' },
    {
      add: ({ x, y }: { x: number; y: number }, { context }) => {
        contexts.push(context)
        return { sum: x + y }
      },
      // Longer than the caller waits without a sign of life.
      dawdle: () => sleep(2500).then(() => 'late'),
      refuse: () => {
        throw new Fault('conflict', 'not now', { why: 'busy' })
      },
      tell: ({ number }: { number: number }) => {
        told.push(number)
        if (told.length === 3) all.resolve()
      },
    },
  )
  const { child, next } = startPython(t, 'send', url)
  assert.deepEqual(await next(), { sum: 3 })
  assert.deepEqual(await next(), { sum: 'ä€' })
  assert.deepEqual(await next(), 'late')
  assert.deepEqual(await next(), ['RemoteError', 'Fault', 'not now'])
  assert.deepEqual(await next(), ['RemoteError', 'Fault', 'sums.ours has no method nowhere.'])
  await all.promise
  assert.deepEqual(told.toSorted(), [1, 2, 3])
  assert.deepEqual(contexts[0], { request_id: 'req-python', user_id: 'u1' })
  await ended(child)
  assert.equal(child.exitCode, 0)
})

test('our client calls, casts and fans out to a real oslo.messaging server', { skip }, async (t) => {
  const url = (await sharedRabbitmq()).ownUrl()
  const { child, next } = startPython(t, 'serve', url)
  assert.equal(await next(), 'ready')
  const bus = openBusFor(t, url)
  const sums = { topic: 'sums', version: '1.1' }
  const sum = await withLogContext({ requestId: 'req-ours' }, () => bus.call(sums, 'add', { x: 1, y: 2 }))
  assert.deepEqual(sum, { sum: 3, request_id: 'req-ours' })
  const named = { ...sums, server: 'python', namespace: 'names', version: '3.0' }
  assert.equal(await bus.call(named, 'add', { x: 1, y: 2 }), 'namespaced')
  await assert.rejects(
    bus.call(sums, 'refuse', {}),
    (error) =>
      isFault(error) &&
      /not now/.test(error.message) &&
      error.details['exception'] === 'oslo_messaging.exceptions.InvalidTarget',
  )
  await assert.rejects(bus.call(sums, 'nowhere', {}), (error) => isFault(error, 'not-implemented'))
  await assert.rejects(bus.call({ ...sums, version: '9.0' }, 'add', { x: 1, y: 2 }), (error) =>
    isFault(error, 'not-implemented'),
  )
  await bus.cast(sums, 'tell', { number: 1 })
  assert.deepEqual(await next(), { told: 1 })
  await bus.cast({ ...sums, server: 'python' }, 'tell', { number: 2 })
  assert.deepEqual(await next(), { told: 2 })
  await bus.fanout('sums', 'tell', { number: 3 })
  assert.deepEqual(await next(), { told: 3 })
  await ended(child)
})

test('queues of a real service in its default form are used as they are', { skip }, async (t) => {
  const url = (await sharedRabbitmq()).ownUrl()
  const { child, next } = startPython(t, 'serve', url, false)
  assert.equal(await next(), 'ready')
  const bus = openBusFor(t, url)
  await bus.serve({ topic: 'others', server: 'ours' }, { add: () => 'ours' })
  assert.deepEqual(await bus.call({ topic: 'sums' }, 'add', { x: 1, y: 2 }), { sum: 3, request_id: null })
  assert.equal(await bus.call({ topic: 'others' }, 'add', {}), 'ours')
  await ended(child)
})

test('transport URLs mean what they mean to oslo.messaging', { skip }, async (t) => {
  const urls = [
    'rabbit://',
    'rabbit://openstack:openstack@controller',
    'rabbit://openstack:openstack@controller/',
    'rabbit://u:p@c:5673//',
    'rabbit://u:p@c/%2F',
    'rabbit://u:p@c/a%20b/c',
    'rabbit://u:p@one:1,v:q@two,three:3/x?ssl=1&a=b&a=c&empty=',
    'rabbit://u%40d:%2F%23%3a%zz%c3%a4@c',
    'rabbit://u@d:p:q@[fd00::1]:5/',
    'rabbit://u:@c',
    'rabbit://@c:',
    'rabbit://u:p@c,,w:r@d/',
    'kombu+rabbit://u:p+q@c/a+b?x=1+2',
  ]
  const { child, next } = startPython(t, 'parse', urls[1]!)
  child.stdin.end(`${urls.join('\n')}\n`)
  for (const url of urls) {
    const { transport, ...ours } = parseTransportUrl(url)
    const theirs = (await next()) as typeof ours
    // Without a host oslo.messaging's driver means localhost.
    if (theirs.hosts.length === 0) theirs.hosts = parseTransportUrl('rabbit://localhost').hosts
    assert.deepEqual({ transport, ...ours }, { transport: 'rabbit', ...theirs }, url)
  }
  await ended(child)
})
