/** The bus that the configuration asks for. */
import { hostname } from 'node:os'
import { describeError, Fault } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Bus } from './bus.ts'
import { createMemoryBus } from './memory.ts'
import { type MessagingConfig, messagingOptions } from './options.ts'
import { RabbitBus } from './rabbit/rabbit-bus.ts'
import { parseTransportUrl } from './transport-url.ts'

export interface OpenBus {
  /** `[DEFAULT] transport_url`, or that of a cell. */
  transportUrl: string
  log: Logger
  /** `[DEFAULT] control_exchange` of the service: `nova`, `neutron`. */
  exchange: string
  /** The settings of `messagingOptions`; what is not given has its default. */
  options?: Partial<MessagingConfig>
  /** How the broker's tools name our connections: `nova-compute:compute1:4711`. */
  name?: string
  /** How long closing waits for handlers that run and for casts that the broker has not confirmed. */
  graceSeconds?: number
}

/** Opens at once: a broker that is away is waited for by whoever sends or serves. A bad URL is an `invalid` Fault. */
export function openBus({ transportUrl, log, exchange, options, name, graceSeconds = 10 }: OpenBus): Bus {
  const url = parseTransportUrl(transportUrl)
  if (url.transport === 'memory') return createMemoryBus({ log })
  const config = readMessagingConfig(options, url.query)
  return new RabbitBus({
    url,
    exchange,
    config,
    log,
    name: name ?? `${hostname()}:${process.pid}`,
    graceSeconds,
  })
}

/** What the URL's query says counts before the options, as in oslo.messaging. */
export function readMessagingConfig(
  given: Partial<MessagingConfig> = {},
  query: Readonly<Record<string, string>> = {},
): MessagingConfig {
  const entries = Object.entries(messagingOptions).map(([key, option]) => {
    const inUrl = 'group' in option ? query[option.name] : undefined
    if (inUrl === undefined) return [key, given[key as keyof MessagingConfig] ?? option.default]
    try {
      return [key, option.type.parse(inUrl)]
    } catch (error) {
      throw new Fault(
        'invalid',
        `[DEFAULT] transport_url: ${option.name}=${inUrl} ${describeError(error)}.`,
        { option: option.name },
      )
    }
  })
  return Object.fromEntries(entries) as MessagingConfig
}
