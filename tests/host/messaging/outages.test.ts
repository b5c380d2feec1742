/** Brokers that end, connections that break: nothing is lost, nothing is done twice, and the log says why. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import amqp from 'amqplib'
import { sleep } from '../../../src/base/clock.ts'
import { isFault } from '../../../src/base/errors.ts'
import { openBusFor, recordingLog, sharedRabbitmq, skip } from './broker.ts'
import { Passage } from './passage.ts'

const nova = { topic: 'conductor' }

test('over restarts of the broker no cast is lost, and no server does one twice', { skip }, async (t) => {
  const rabbit = await sharedRabbitmq()
  const url = rabbit.ownUrl()
  const { log, lines } = recordingLog()
  const sender = openBusFor(t, url, { log })
  const states: boolean[] = []
  sender.watch(({ connected }) => states.push(connected))
  const done = new Map<number, string[]>()
  for (const server of ['one', 'two']) {
    const take = async ({ number }: { number: number }) => {
      await sleep(5)
      done.set(number, [...(done.get(number) ?? []), server])
    }
    await openBusFor(t, url).serve({ ...nova, server }, { take })
  }

  const count = 1500
  const casts: Promise<void>[] = []
  const send = async (): Promise<void> => {
    for (let number = 0; number < count; number++) {
      casts.push(sender.cast(nova, 'take', { number }))
      if (number % 10 === 0) await sleep(10)
    }
  }
  const sending = send()
  await sleep(300)
  await rabbit.stop('SIGKILL')
  await rabbit.start()
  await sleep(300)
  await rabbit.stop()
  await rabbit.start()
  await sending
  await Promise.all(casts)
  while (done.size < count) await sleep(20)
  // What comes a second time comes after all that was first.
  await sleep(500)

  const twice = [...done].filter(([, servers]) => new Set(servers).size < servers.length)
  assert.deepEqual(twice, [])
  assert.deepEqual(states, [true, false, true, false, true])
  const told = lines.filter(({ level }) => level === 'warn').map(({ msg }) => msg)
  for (const line of told) assert.ok(line.includes(`127.0.0.1:${rabbit.port}`), line)
  assert.ok(told.length <= 6, told.join('\n'))
})

test('a call over a restart is answered, or ends with a timeout that names the broker', {
  skip,
}, async (t) => {
  const rabbit = await sharedRabbitmq()
  const url = rabbit.ownUrl()
  const answer = Promise.withResolvers<string>()
  const begun = Promise.withResolvers<void>()
  let asked = 0
  const wait = () => {
    asked += 1
    begun.resolve()
    return answer.promise
  }
  await openBusFor(t, url).serve({ ...nova, server: 'one' }, { wait, quick: () => 'quick' })
  const caller = openBusFor(t, url)
  const survives = caller.call(nova, 'wait', {}, { timeoutSeconds: 60 })
  await begun.promise
  await rabbit.stop('SIGKILL')
  await assert.rejects(
    caller.call(nova, 'quick', {}, { timeoutSeconds: 0.5 }),
    (error) =>
      isFault(error, 'unavailable') &&
      error.message.includes(`RabbitMQ at 127.0.0.1:${rabbit.port} has not been there for`) &&
      /refused the connection|ended the connection/.test(error.message),
  )
  assert.equal(caller.state().connected, false)
  await rabbit.start()
  answer.resolve('late')
  assert.equal(await survives, 'late')
  assert.equal(asked, 1)
  assert.equal(await caller.call(nova, 'quick', {}), 'quick')
})

test('a process that starts before its broker waits for it', { skip }, async (t) => {
  const rabbit = await sharedRabbitmq()
  await rabbit.stop()
  const { log, lines } = recordingLog()
  const bus = openBusFor(t, rabbit.ownUrl(), { log })
  const taken = Promise.withResolvers<unknown>()
  const serving = bus.serve({ ...nova, server: 'one' }, { take: taken.resolve })
  const cast = bus.cast(nova, 'take', { number: 1 })
  while (lines.length === 0) await sleep(20)
  await rabbit.start()
  await serving
  await cast
  assert.deepEqual(await taken.promise, { number: 1 })
  assert.equal(lines.at(-1)?.level, 'info')
  assert.match(lines[0]!.msg, new RegExp(`127.0.0.1:${rabbit.port} refused the connection`))
})

test('what a server had not finished when it was lost goes to another one', { skip }, async (t) => {
  const rabbit = await sharedRabbitmq()
  const url = rabbit.ownUrl()
  await using passage = await Passage.start({ host: rabbit.address, port: rabbit.port })
  const lost = openBusFor(t, url.replace(`:${rabbit.port}`, `:${passage.port}`), { graceSeconds: 0.1 })
  const begun = Promise.withResolvers<void>()
  await lost.serve(
    { ...nova, server: 'one' },
    {
      build: () => {
        begun.resolve()
        return new Promise(() => undefined)
      },
    },
  )
  const other = openBusFor(t, url)
  await other.cast(nova, 'build', { id: 'a' })
  await begun.promise
  const built = Promise.withResolvers<{ args: unknown; redelivered: boolean }>()
  await other.serve(
    { ...nova, server: 'two' },
    {
      build: (args: unknown, { redelivered }) => built.resolve({ args, redelivered }),
    },
  )
  passage.swallow()
  passage.cut()
  assert.deepEqual(await built.promise, { args: { id: 'a' }, redelivered: true })
})

test('one that comes again while it is worked on is not begun again', { skip }, async (t) => {
  const rabbit = await sharedRabbitmq()
  const url = rabbit.ownUrl()
  await using passage = await Passage.start({ host: rabbit.address, port: rabbit.port })
  const bus = openBusFor(t, url.replace(`:${rabbit.port}`, `:${passage.port}`))
  const finish = Promise.withResolvers<string>()
  let begun = 0
  const first = Promise.withResolvers<void>()
  await bus.serve(
    { ...nova, server: 'one' },
    {
      build: () => {
        begun += 1
        first.resolve()
        return finish.promise
      },
    },
  )
  const caller = openBusFor(t, url)
  const called = caller.call(nova, 'build', {})
  await first.promise
  const back = Promise.withResolvers<void>()
  bus.watch(({ connected }) => connected && back.resolve())
  passage.cut()
  await back.promise
  // The broker delivers it again as soon as the queue is consumed again; an answer to another call comes after it.
  await assert.rejects(caller.call(nova, 'none', {}), (error) => isFault(error, 'not-implemented'))
  finish.resolve('built')
  assert.equal(await called, 'built')
  assert.equal(begun, 1)
})

test('an answer that got lost on its way is given again, without the work being done again', {
  skip,
}, async (t) => {
  const rabbit = await sharedRabbitmq()
  const url = rabbit.ownUrl()
  await using passage = await Passage.start({ host: rabbit.address, port: rabbit.port })
  const begun = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<string>()
  let asked = 0
  const build = () => {
    asked += 1
    begun.resolve()
    return finish.promise
  }
  await openBusFor(t, url).serve({ ...nova, server: 'one' }, { build })
  const called = openBusFor(t, url.replace(`:${rabbit.port}`, `:${passage.port}`)).call(nova, 'build', {})
  await begun.promise
  passage.swallow()
  finish.resolve('built')
  // Answers go in turn: the one before is on its way.
  await assert.rejects(openBusFor(t, url).call(nova, 'none', {}), (error) =>
    isFault(error, 'not-implemented'),
  )
  await sleep(100)
  passage.letThrough()
  passage.cut()
  assert.equal(await called, 'built')
  assert.equal(asked, 1)
})

test('a broker behind a firewall is given up after the heartbeats, and connected to again', {
  skip,
}, async (t) => {
  const rabbit = await sharedRabbitmq()
  const url = rabbit.ownUrl()
  await using passage = await Passage.start({ host: rabbit.address, port: rabbit.port })
  const { log, lines } = recordingLog()
  const options = { heartbeatTimeoutThreshold: 3 }
  const bus = openBusFor(t, url.replace(`:${rabbit.port}`, `:${passage.port}`), { log, options })
  const states: boolean[] = []
  const changed: (() => void)[] = []
  bus.watch(({ connected }) => {
    states.push(connected)
    changed.shift()?.()
  })
  const next = () => new Promise<void>((resolve) => changed.push(resolve))
  await bus.cast(nova, 'take', {})
  const gone = next()
  passage.swallow()
  const cast = bus.cast(nova, 'take', {})
  await gone
  const back = next()
  passage.cut()
  passage.letThrough()
  await back
  await cast
  assert.deepEqual(states.slice(-2), [false, true])
  assert.match(lines.find(({ level }) => level === 'warn')!.msg, /does not answer: .*firewall/)
})

test('a queue that somebody deletes is declared anew by servers and senders', { skip }, async (t) => {
  const url = (await sharedRabbitmq()).ownUrl()
  const bus = openBusFor(t, url)
  await bus.serve({ ...nova, server: 'one' }, { who: () => 'one' })
  assert.equal(await bus.call(nova, 'who', {}), 'one')
  await bus.cast({ topic: 'compute', server: 'away' }, 'take', {})
  const connection = await amqp.connect(url.replace('rabbit:', 'amqp:'))
  const channel = await connection.createChannel()
  await channel.deleteQueue('conductor')
  await channel.deleteQueue('compute.away')
  assert.equal(await bus.call(nova, 'who', {}), 'one')
  await bus.cast({ topic: 'compute', server: 'away' }, 'take', {})
  assert.equal((await channel.checkQueue('compute.away')).messageCount, 1)
  await connection.close()
})

test('fanouts go on after the last server ended and another began', { skip }, async (t) => {
  const url = (await sharedRabbitmq()).ownUrl()
  const sender = openBusFor(t, url)
  for (const server of ['one', 'two']) {
    const bus = openBusFor(t, url)
    const told = Promise.withResolvers<unknown>()
    const serving = await bus.serve({ topic: 'agents', server }, { changed: told.resolve })
    await sender.fanout('agents', 'changed', { server })
    assert.deepEqual(await told.promise, { server })
    await serving[Symbol.asyncDispose]()
  }
})

test('closing lets handlers end and casts be sent', { skip }, async (t) => {
  const url = (await sharedRabbitmq()).ownUrl()
  const bus = openBusFor(t, url)
  const begun = Promise.withResolvers<void>()
  await bus.serve(
    { ...nova, server: 'one' },
    {
      build: async () => {
        begun.resolve()
        await sleep(300)
        await bus.cast({ topic: 'scheduler' }, 'built', { id: 'a' })
      },
    },
  )
  await bus.cast(nova, 'build', {})
  await begun.promise
  await bus.close()
  await assert.rejects(bus.cast(nova, 'build', {}), (error) => isFault(error, 'unavailable'))
  const other = openBusFor(t, url)
  const built = Promise.withResolvers<unknown>()
  await other.serve({ topic: 'scheduler', server: 'one' }, { built: built.resolve })
  assert.deepEqual(await built.promise, { id: 'a' })
  let again = 0
  const serving = await other.serve(
    { ...nova, server: 'two' },
    {
      build: () => {
        again += 1
      },
      last: () => 'done',
    },
  )
  assert.equal(await other.call(nova, 'last', {}), 'done')
  await serving[Symbol.asyncDispose]()
  assert.equal(again, 0)
})

test('a broker that is out of memory is told, and casts go on when it is not any more', {
  skip,
}, async (t) => {
  const rabbit = await sharedRabbitmq()
  const { log, lines } = recordingLog()
  const bus = openBusFor(t, rabbit.ownUrl(), { log })
  await bus.cast(nova, 'take', {})
  await rabbit.control('set_vm_memory_high_watermark', '0')
  const cast = bus.cast(nova, 'take', {})
  const blocked = /takes no messages until this is mended: low on memory/
  const failed = bus.call(nova, 'who', {}, { timeoutSeconds: 1 })
  await assert.rejects(failed, (error) => isFault(error, 'unavailable') && blocked.test(error.message))
  assert.match(bus.state().why ?? '', blocked)
  await rabbit.control('set_vm_memory_high_watermark', '0.4')
  await cast
  while (bus.state().why !== null) await sleep(10)
  assert.equal(bus.state().connected, true)
  assert.equal(lines.filter(({ msg }) => blocked.test(msg)).length, 1)
})
