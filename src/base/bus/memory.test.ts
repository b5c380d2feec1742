import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { isFault } from '../errors.ts'
import { busContract } from './contract.ts'
import { createMemoryBus } from './memory.ts'
import { defineRpc, rpcClient, serveRpc } from './rpc.ts'

busContract('memory', async () => createMemoryBus())

const table = defineRpc('compute', {
  spawn: { args: Type.Object({ id: Type.String() }), reply: Type.Object({ host: Type.String() }) },
  forget: { args: Type.Object({ id: Type.String() }) },
})

test('a table of messages types both sides, and refuses arguments that do not fit', async () => {
  const bus = createMemoryBus()
  const forgotten = Promise.withResolvers<string>()
  const serving = await serveRpc(
    bus,
    table,
    { server: 'host1' },
    {
      spawn: async ({ id }) => ({ host: `host-of-${id}` }),
      forget: ({ id }) => forgotten.resolve(id),
    },
  )
  const compute = rpcClient(bus, table)
  assert.equal((await compute.spawn({ id: 'x' }, { server: 'host1' })).host, 'host-of-x')
  await compute.forget({ id: 'y' })
  assert.equal(await forgotten.promise, 'y')
  await assert.rejects(compute.spawn({ id: 7 as unknown as string }), (error) => isFault(error, 'invalid'))
  await serving[Symbol.asyncDispose]()
  await assert.rejects(compute.spawn({ id: 'x' }), (error) => isFault(error, 'unavailable'))
  await bus.close()
})
