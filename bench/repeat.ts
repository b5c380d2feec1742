/**
 * The same requests over and over again on a few connections. It writes ready bytes and reads no more than the length of each
 * answer, so that what is measured has the processors nearly to itself.
 */
import { connect, type Socket } from 'node:net'

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
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  try {
    return await repeatUntil(socket, (count) => requests[(first + count) % requests.length]!, end)
  } finally {
    socket.destroy()
  }
}

function repeatUntil(socket: Socket, request: (count: number) => Buffer, end: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let answers = 0
    let head = Buffer.alloc(0)
    /** Of the body; undefined while the head is not whole. */
    let left: number | undefined
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('The server closed the connection.')))
    socket.on('connect', () => socket.write(request(0)))
    socket.on('data', (chunk) => {
      let body = chunk.length
      if (left === undefined) {
        head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
        const blank = head.indexOf('\r\n\r\n')
        if (blank === -1) return
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
    })
  })
}
