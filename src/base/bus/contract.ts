/** What every transport must do; each transport's own test runs it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, isFault } from '../errors.ts'
import type { Bus } from './bus.ts'

/** Declares the tests; `open` gives a fresh bus, on which no other's messages are. */
export function busContract(
  name: string,
  open: () => Promise<Bus>,
  options: { skip?: string | boolean } = {},
): void {
  test(`${name}: a call gets the reply, or the fault that the handler threw`, options, async () => {
    const bus = await open()
    await bus.serve(
      { topic: 'sums', server: 'a' },
      {
        add: ({ x, y }: { x: number; y: number }) => ({ sum: x + y }),
        refuse: () => {
          throw new Fault('conflict', 'not now', { why: 'busy' })
        },
      },
    )
    assert.deepEqual(await bus.call({ topic: 'sums' }, 'add', { x: 1, y: 2 }), { sum: 3 })
    await assert.rejects(
      bus.call({ topic: 'sums', server: 'a' }, 'refuse', {}),
      (error) => isFault(error, 'conflict') && error.details['why'] === 'busy',
    )
    await bus.close()
  })

  test(`${name}: a call that nobody answers in time is unavailable`, options, async () => {
    const bus = await open()
    const unavailable = (error: unknown) => isFault(error, 'unavailable')
    await bus.serve({ topic: 'slow', server: 'a' }, { wait: () => new Promise(() => undefined) })
    await assert.rejects(bus.call({ topic: 'slow' }, 'wait', {}, { timeoutSeconds: 0.01 }), unavailable)
    await assert.rejects(
      bus.call({ topic: 'slow', server: 'b' }, 'wait', {}, { timeoutSeconds: 0.01 }),
      unavailable,
    )
    await bus.close()
  })

  test(`${name}: the receiver cannot change what the sender holds, nor the reverse`, options, async () => {
    const bus = await open()
    const held = { list: [1] }
    await bus.serve(
      { topic: 't', server: 'a' },
      {
        change: (args: { list: number[] }) => {
          args.list.push(2)
          return held
        },
      },
    )
    const sent = { list: [0] }
    const reply = await bus.call<{ list: number[] }>({ topic: 't' }, 'change', sent)
    reply.list.push(3)
    assert.deepEqual([sent, held], [{ list: [0] }, { list: [1] }])
    await bus.close()
  })

  test(
    `${name}: a message for any server goes to one of them in turn; a fanout reaches all`,
    options,
    async () => {
      const bus = await open()
      const seen: string[] = []
      const { promise: all, resolve } = Promise.withResolvers<void>()
      for (const server of ['a', 'b']) {
        const who = () => server
        const tell = () => {
          seen.push(server)
          if (seen.length === 2) resolve()
        }
        await bus.serve({ topic: 't', server }, { who, tell })
      }
      const answers = [await bus.call({ topic: 't' }, 'who', {}), await bus.call({ topic: 't' }, 'who', {})]
      assert.deepEqual(answers.toSorted(), ['a', 'b'])
      await bus.fanout('t', 'tell', {})
      await all
      assert.deepEqual(seen.toSorted(), ['a', 'b'])
      await bus.close()
    },
  )

  test(
    `${name}: a wake reaches the one server that it is for, and one that is not there is no error`,
    options,
    async () => {
      const bus = await open()
      const { promise, resolve } = Promise.withResolvers<unknown>()
      await bus.serve({ topic: 't', server: 'a' }, { tell: () => resolve('the wrong server') })
      await bus.serve({ topic: 't', server: 'b' }, { tell: resolve })
      await bus.wake({ topic: 't', server: 'absent' }, 'tell', {})
      await bus.wake({ topic: 't', server: 'b' }, 'tell', { number: 7 })
      assert.deepEqual(await promise, { number: 7 })
      await bus.close()
    },
  )

  test(`${name}: a cast is kept until somebody serves its topic`, options, async () => {
    const bus = await open()
    const { promise, resolve } = Promise.withResolvers<unknown>()
    await bus.cast({ topic: 'later', server: 'a' }, 'take', { number: 7 })
    await bus.serve({ topic: 'later', server: 'b' }, { take: () => resolve('the wrong server') })
    await bus.serve({ topic: 'later', server: 'a' }, { take: resolve })
    assert.deepEqual(await promise, { number: 7 })
    await bus.close()
  })
}
