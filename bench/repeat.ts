/**
 * The same requests over and over again on a few connections. It writes ready bytes and reads no more than the length of each
 * answer, so that what is measured has the processors nearly to itself.
 */
import { connect } from 'node:net'

export interface RepeatOptions {
  /** Of one server; each connection goes through the paths from a place of its own. */
  url: string
  paths: readonly string[]
  headers: Readonly<Record<string, string>>
  connections: number
  seconds: number
}

export interface Repeated {
  answers: number
  seconds: number
  perSecond: number
  /** Answers that each connection had: connections belong to workers. */
  each: readonly number[]
}

/** A closed loop on each connection. Rejects at the first answer that is no 200. */
export async function repeatRequest(options: RepeatOptions): Promise<Repeated> {
  const started = performance.now()
  const end = started + options.seconds * 1000
  const each = await Promise.all(
    Array.from({ length: options.connections }, (_, index) => repeatOn(options, index, end)),
  )
  const seconds = (performance.now() - started) / 1000
  const answers = each.reduce((sum, count) => sum + count, 0)
  return { answers, seconds, perSecond: answers / seconds, each }
}

async function repeatOn(options: RepeatOptions, index: number, end: number): Promise<number> {
  const { url, paths, headers, connections } = options
  const { hostname, port, pathname } = new URL(url)
  const lines = Object.entries({ host: `${hostname}:${port}`, ...headers }).map(
    ([name, of]) => `${name}: ${of}`,
  )
  const requests = paths.map((path) =>
    Buffer.from(`GET ${pathname.replace(/\/$/, '')}${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`),
  )
  const first = Math.floor((index * paths.length) / connections)
  return await repeatUntil(
    { hostname, port: Number(port) },
    (count) => requests[(first + count) % requests.length]!,
    end,
  )
}

/** Read into again and again: a long answer in few pieces, none of which is kept. */
const pieceBytes = 256 * 1024

function repeatUntil(
  server: { hostname: string; port: number },
  request: (count: number) => Buffer,
  end: number,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let answers = 0
  let head: Buffer = Buffer.alloc(0)
  /** Of the body; undefined while the head is not whole. */
  let left: number | undefined
  const take = (chunk: Buffer): void => {
    let body = chunk.length
    if (left === undefined) {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
      const blank = head.indexOf('\r\n\r\n')
      if (blank === -1) {
        // The buffer of the chunk is read into again.
        head = Buffer.from(head)
        return
      }
      const text = head.toString('latin1', 0, blank)
      const length = /^content-length: (\d+)/im.exec(text)?.[1]
      if (!text.startsWith('HTTP/1.1 200') || length === undefined) {
        reject(new Error(head.toString('latin1', 0, 1000)))
        return
      }
      left = Number(length)
      body = head.length - blank - 4
      head = Buffer.alloc(0)
    }
    left -= body
    if (left > 0) return
    left = undefined
    answers++
    if (performance.now() < end) socket.write(request(answers))
    else resolve(answers)
  }
  const socket = connect({
    host: server.hostname,
    port: server.port,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafe(pieceBytes),
      callback(size, buffer) {
        take((buffer as Buffer).subarray(0, size))
        return true
      },
    },
  })
  socket.on('error', reject)
  socket.on('close', () => reject(new Error('The server closed the connection.')))
  socket.on('connect', () => socket.write(request(0)))
  return promise.finally(() => socket.destroy())
}
