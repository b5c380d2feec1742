import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { isFault } from '../errors.ts'
import { sendByHttp } from './send-by-http.ts'

async function serving(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const json = (response: ServerResponse, body: unknown) =>
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body))

test('a call goes under the path of the base URL, its body as JSON, and connections are used again', async () => {
  const ports = new Set<number | undefined>()
  await using server = await serving(async (request, response) => {
    ports.add(request.socket.remotePort)
    const { method, url, headers } = request
    json(response, { method, url, type: headers['content-type'], body: await text(request) })
  })
  const send = sendByHttp(`${server.url}/identity/`)
  const reply = await send({ method: 'POST', path: '/v3/auth', body: { a: 'ü' } })
  assert.deepEqual(reply.body, {
    method: 'POST',
    url: '/identity/v3/auth',
    type: 'application/json',
    body: '{"a":"ü"}',
  })
  for (let count = 0; count < 5; count++) await send({ method: 'GET', path: '/' })
  assert.equal(ports.size, 1)
})

test('bodies are streamed both ways', async () => {
  await using server = await serving((request, response) => void request.pipe(response))
  const { stream } = await sendByHttp(server.url)({
    method: 'PUT',
    path: '/',
    body: Readable.from(['a', 'b']),
    stream: true,
  })
  assert.equal(await text(stream!), 'ab')
})

test('who does not answer, or not what was asked, is named', async () => {
  const isUnavailable = (pattern: RegExp) => (error: unknown) =>
    isFault(error, 'unavailable') && pattern.test(error.message)
  await using server = await serving((request, response) => {
    if (request.url === '/broken') response.setHeader('content-type', 'application/json').end('{')
  })
  await assert.rejects(
    sendByHttp('http://127.0.0.1:1')({ method: 'GET', path: '/' }),
    isUnavailable(/^http:\/\/127\.0\.0\.1:1 does not answer$/),
  )
  const impatient = sendByHttp(server.url, { timeoutSeconds: 0.05 })
  await assert.rejects(impatient({ method: 'GET', path: '/silent' }), isUnavailable(/does not answer/))
  const send = sendByHttp(server.url)
  await assert.rejects(send({ method: 'GET', path: '/broken' }), isUnavailable(/GET \/broken .* no JSON/))
  assert.throws(
    () => sendByHttp('controller:9292'),
    (error) => isFault(error, 'invalid'),
  )
})

test('a connection that the other side took for idle is replaced where asking twice does no harm', async () => {
  // Answers the first request of each connection and resets it at the second.
  const tcp = createTcpServer((socket: Socket) => {
    let seen = 0
    socket.on('error', () => undefined)
    socket.on('data', () => {
      if (seen++ > 0) socket.resetAndDestroy()
      else socket.write('HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n')
    })
  })
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  const send = sendByHttp(`http://127.0.0.1:${(tcp.address() as AddressInfo).port}`)
  for (let count = 0; count < 2; count++) assert.equal((await send({ method: 'GET', path: '/' })).status, 204)
  assert.equal((await send({ method: 'DELETE', path: '/' })).status, 204)
  await assert.rejects(send({ method: 'POST', path: '/' }), (error) => isFault(error, 'unavailable'))
  tcp.close()
})
