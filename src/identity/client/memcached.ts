/** Tokens that were found valid, in memcached: `[keystone_authtoken] memcached_servers`. */
import { Client, Server } from 'memjs'
import { sleep } from '#base/clock.ts'
import { describeError, Fault } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { type Strategy, sealFor } from './sealed.ts'
import type { Remembered, SharedTokenCache } from './token-cache.ts'

export interface MemcachedOptions {
  /** `controller:11211`, `controller`, `inet6:[fd00::1]:11211` */
  servers: readonly string[]
  strategy: Strategy
  log: Logger
  /** `memcache_pool_dead_retry`: how long a server that failed is left alone. */
  deadRetrySeconds?: number
  /** `memcache_pool_socket_timeout`: longer than this nobody waits for it. */
  timeoutSeconds?: number
}

/** Ours, beside what keystonemiddleware keeps in the same servers in a form of its own. */
const prefix = 'kilonova/tokens/'

export function memcachedTokenCache(options: MemcachedOptions): SharedTokenCache {
  const { servers, strategy, log, deadRetrySeconds = 30, timeoutSeconds = 1 } = options
  const client = new Client(
    servers.map((server) => {
      const { host, port } = parseMemcachedServer(server)
      return new Server(host, port, undefined, undefined, { timeout: timeoutSeconds })
    }),
    { retries: 1, failover: true, failoverTime: deadRetrySeconds, logger: { log: () => undefined } },
  )
  let deadUntil = 0
  let told = false
  /** Undefined when memcached is away: tokens are right without it, only slower. */
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    if (Date.now() < deadUntil) return undefined
    try {
      const value = await within(timeoutSeconds * 1000, work())
      if (told) log.info({ servers }, 'memcached is there again')
      told = false
      return value
    } catch (error) {
      deadUntil = Date.now() + deadRetrySeconds * 1000
      if (!told) {
        const instead = 'tokens are remembered by each process alone until it is back'
        log.warn(
          { servers },
          `memcached at ${servers.join(', ')} fails (${describeError(error)}): ${instead}`,
        )
      }
      told = true
      return undefined
    }
  }
  return {
    async find(token) {
      const seal = sealFor(token, strategy)
      const entry = (await attempt(() => client.get(prefix + seal.name)))?.value
      const text = entry ? seal.open(entry) : undefined
      const remembered = text === undefined ? undefined : parse(text)
      return remembered && { ...remembered, context: { ...remembered.context, token } }
    },
    async remember(token, { context, until }) {
      const seconds = Math.ceil((until - Date.now()) / 1000)
      if (seconds <= 0) return
      const seal = sealFor(token, strategy)
      // The token itself stands nowhere in the entry.
      const entry = seal.close(JSON.stringify({ until, context: { ...context, token: '' } }))
      await attempt(() => client.set(prefix + seal.name, entry, { expires: seconds }))
    },
    [Symbol.dispose]: () => client.close(),
  }
}

/** As python-memcached reads it; the port is 11211 unless given. */
export function parseMemcachedServer(text: string): { host: string; port: number } {
  const found = /^(?:inet6?:)?(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text.trim())
  if (found === null) {
    throw new Fault(
      'invalid',
      `[keystone_authtoken] memcached_servers: '${text}' is not of the form host:port.`,
    )
  }
  return { host: (found[1] ?? found[2])!, port: Number(found[3] ?? 11211) }
}

function parse(text: string): Remembered | undefined {
  try {
    return JSON.parse(text) as Remembered
  } catch {
    return undefined
  }
}

/** memjs forgets what it was asked on a connection that the server ends. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const done = new AbortController()
  const late = sleep(milliseconds, done.signal).then(() => {
    throw new Error(`no answer within ${milliseconds} ms`)
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    done.abort()
  }
}
