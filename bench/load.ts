/** A closed-loop load generator: so many clients, each sending its next request when the last was answered. */
import http from 'node:http'

export interface Reply {
  status: number
  headers: http.IncomingHttpHeaders
  body: string
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })

/** One request over a kept-alive connection. Rejects when nothing answers. */
export function request(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Promise<Reply> {
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const sent = payload === undefined ? headers : { ...headers, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const outgoing = http.request(url, { method, headers: sent, agent }, (incoming) => {
      const parts: Buffer[] = []
      incoming.on('data', (part: Buffer) => parts.push(part))
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(parts).toString(),
        }),
      )
      incoming.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(payload)
  })
}

export interface Measured {
  count: number
  errors: number
  seconds: number
  perSecond: number
  /** Milliseconds. */
  p50: number
  p95: number
  p99: number
  /** The first error's text. */
  firstError?: string
}

/** Runs `work(i)` from `clients` loops until `count` runs or `seconds` are over. */
export async function measure(
  options: { clients: number; count?: number; seconds?: number },
  work: (index: number) => Promise<unknown>,
): Promise<Measured> {
  const latencies: number[] = []
  let next = 0
  let errors = 0
  let firstError: string | undefined
  const started = performance.now()
  const end = started + (options.seconds ?? 60) * 1000
  const loop = async () => {
    while (next < (options.count ?? Number.POSITIVE_INFINITY) && performance.now() < end) {
      const index = next++
      const begun = performance.now()
      try {
        await work(index)
        latencies.push(performance.now() - begun)
      } catch (error) {
        errors++
        firstError ??= (error as Error).message
      }
    }
  }
  await Promise.all(Array.from({ length: options.clients }, loop))
  const seconds = (performance.now() - started) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  return {
    count: latencies.length,
    errors,
    seconds,
    perSecond: latencies.length / seconds,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    ...(firstError === undefined ? {} : { firstError }),
  }
}
