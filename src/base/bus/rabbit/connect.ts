/** One attempt to connect to one broker. */
import { readFileSync } from 'node:fs'
import amqp from 'amqplib'
import { Fault } from '../../errors.ts'
import type { MessagingConfig } from '../options.ts'
import type { BrokerHost } from '../transport-url.ts'

/** Longer than a handshake with a busy broker takes, shorter than anybody wants to wait for a firewall. */
const connectMilliseconds = 5000

export interface Where {
  host: BrokerHost
  virtualHost: string
  config: MessagingConfig
  /** How the broker lists the connection. */
  name: string
}

export function connect({ host, virtualHost, config, name }: Where): Promise<amqp.ChannelModel> {
  return amqp.connect(
    {
      protocol: config.rabbitSsl ? 'amqps' : 'amqp',
      hostname: host.hostname,
      port: host.port,
      vhost: encodeURIComponent(virtualHost),
      heartbeat: heartbeatSeconds(config),
    },
    {
      timeout: connectMilliseconds,
      noDelay: true,
      keepAlive: true,
      credentials: credentials(host, config),
      clientProperties: { product: 'kilonova', connection_name: name },
      ...(config.rabbitSsl ? tls(config) : {}),
    },
  )
}

/**
 * amqplib gives a broker up after two intervals without a sign of life, and looks once an interval: three at most. Zero
 * turns heartbeats off.
 */
function heartbeatSeconds({ heartbeatTimeoutThreshold, heartbeatRate }: MessagingConfig): number {
  if (heartbeatTimeoutThreshold === 0) return 0
  return Math.max(1, Math.floor(heartbeatTimeoutThreshold / (heartbeatRate + 1)))
}

function credentials({ username, password }: BrokerHost, { rabbitLoginMethod }: MessagingConfig) {
  if (rabbitLoginMethod === 'EXTERNAL') return amqp.credentials.external()
  if (rabbitLoginMethod === 'PLAIN') return amqp.credentials.plain(username, password)
  return amqp.credentials.amqplain(username, password)
}

function tls(config: MessagingConfig) {
  const verify = config.rabbitSslCaFile !== ''
  return {
    rejectUnauthorized: verify,
    ...(verify ? { ca: read('ssl_ca_file', config.rabbitSslCaFile) } : {}),
    ...(config.rabbitSslCertFile === '' ? {} : { cert: read('ssl_cert_file', config.rabbitSslCertFile) }),
    ...(config.rabbitSslKeyFile === '' ? {} : { key: read('ssl_key_file', config.rabbitSslKeyFile) }),
    ...(config.rabbitSslEnforceHostnameVerification ? {} : { checkServerIdentity: () => undefined }),
  }
}

function read(option: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Fault('invalid', `[oslo_messaging_rabbit] ${option}: ${path} cannot be read`, { path }, error)
  }
}
