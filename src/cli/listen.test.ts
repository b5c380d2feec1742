import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import Fastify from 'fastify'
import { freePorts } from '#testing/free-ports.ts'
import { listen } from './listen.ts'

/** The status of an answer, and whether the server will keep the connection. */
function get(
  port: number,
  path: string,
  agent: Agent,
): Promise<{ status: number; kept: boolean; local: number }> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path, agent, host: '127.0.0.1' }, (response) => {
      const { port: local } = response.socket.address() as AddressInfo
      response.resume()
      response.on('end', () =>
        resolve({ status: response.statusCode!, kept: response.headers.connection !== 'close', local }),
      )
    })
    asked.on('error', reject)
    asked.end()
  })
}

test('a server that is drained answers what was asked and what is asked on connections it has', async () => {
  const app = Fastify()
  const gate = Promise.withResolvers<void>()
  app.get('/slow', () => gate.promise.then(() => 'done'))
  app.get('/', () => 'hello')
  const [port] = (await freePorts(1)) as [number]
  await using listening = await listen(app, '127.0.0.1', [port])
  const [slow, idle] = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })]
  const first = await get(port, '/', idle)
  assert.equal(first.kept, true)
  const waiting = get(port, '/slow', slow)
  await new Promise((resolve) => setTimeout(resolve, 50))
  const drained = listening.drain({ idleSeconds: 30, mostSeconds: 60 })
  await assert.rejects(get(port, '/', new Agent()), { code: 'ECONNREFUSED' })
  const again = await get(port, '/', idle)
  assert.deepEqual(again, { status: 200, kept: false, local: first.local })
  gate.resolve()
  const { status, kept } = await waiting
  assert.deepEqual({ status, kept }, { status: 200, kept: false })
  await drained
  for (const agent of [slow, idle]) agent.destroy()
  await app.close()
})

test('a connection on which nothing is asked is closed after a while', async () => {
  const app = Fastify()
  app.get('/', () => 'hello')
  const [port] = (await freePorts(1)) as [number]
  await using listening = await listen(app, '127.0.0.1', [port])
  const agent = new Agent({ keepAlive: true })
  await get(port, '/', agent)
  await listening.drain({ idleSeconds: 0.01, mostSeconds: 60 })
  agent.destroy()
  await app.close()
})
