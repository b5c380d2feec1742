/** `[DEFAULT] transport_url`, read as oslo.messaging's `TransportURL.parse` reads it. */
import { Fault } from '../errors.ts'

export interface BrokerHost {
  hostname: string
  port: number
  username: string
  password: string
}

export interface TransportUrl {
  transport: 'memory' | 'rabbit'
  /** In the order of the URL. */
  hosts: readonly BrokerHost[]
  virtualHost: string
  /** Options of `[oslo_messaging_rabbit]` that the URL gives: `?ssl=1`; one given twice is joined with a comma. */
  query: Readonly<Record<string, string>>
}

const memoryNames = ['memory', 'fake', 'kombu+memory']
const rabbitNames = ['rabbit', 'kombu', 'amqp', 'kombu+rabbit', 'kombu+amqp', 'kombu+pyamqp']

/** `rabbit://user:pass@host[:port][,user:pass@host2…]/vhost?option=value`; without a host it is localhost. */
export function parseTransportUrl(url: string): TransportUrl {
  const parts = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(#.*)?$/is.exec(url.trim())
  if (parts === null) throw bad('it must begin with rabbit:// or memory://')
  const [, scheme, netloc = '', path = '', query = '', fragment] = parts
  const transport = transportOf(scheme!.toLowerCase())
  if (transport === 'memory') return { transport, hosts: [], virtualHost: '', query: {} }
  if (fragment !== undefined) throw bad(`it has a '#'; ${encoding}`)
  const hosts = netloc
    .split(',')
    .filter((host) => host !== '')
    .map(parseHost)
  if (hosts.length === 0) hosts.push(parseHost('localhost'))
  const virtualHost = path.startsWith('/') ? unquote(path.slice(1)) : ''
  return { transport, hosts, virtualHost: virtualHost === '' ? '/' : virtualHost, query: parseQuery(query) }
}

/** The URL for people: who and where, and neither passwords nor query. */
export function showTransportUrl({ transport, hosts, virtualHost }: TransportUrl): string {
  if (transport === 'memory') return 'memory://'
  const shown = hosts.map((host) => `${encodeURIComponent(host.username)}:***@${showHost(host)}`)
  return `rabbit://${shown.join(',')}/${virtualHost === '/' ? '' : encodeURIComponent(virtualHost)}`
}

/** `controller:5672`, `[fd00::1]:5672` */
export const showHost = ({ hostname, port }: Pick<BrokerHost, 'hostname' | 'port'>): string =>
  `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`

function transportOf(scheme: string): 'memory' | 'rabbit' {
  if (memoryNames.includes(scheme)) return 'memory'
  if (rabbitNames.includes(scheme)) return 'rabbit'
  throw bad(`there is no transport '${scheme}', only rabbit and memory`)
}

function parseHost(text: string): BrokerHost {
  const at = text.lastIndexOf('@')
  const [user, password] = split(text.slice(0, Math.max(at, 0)), ':')
  const place = text.slice(at + 1)
  const bracket = place.startsWith('[') ? place.indexOf(']') : 0
  if (bracket === -1) throw bad("a host begins with '[' and lacks the ']'")
  const [name, port] = split(place.slice(bracket), ':')
  return {
    hostname: (bracket === 0 ? name : place.slice(1, bracket)) || 'localhost',
    port: parsePort(port),
    username: unquote(user) || 'guest',
    password: unquote(password) || 'guest',
  }
}

// The text is not shown: it may be the rest of a password that was cut at an unescaped character.
function parsePort(text: string): number {
  if (text === '') return 5672
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (port > 0 && port < 65_536) return port
  throw bad(`what stands after a host's ':' is no port; ${encoding}`)
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function parseQuery(text: string): Record<string, string> {
  const query: Record<string, string> = {}
  for (const [key, value] of new URLSearchParams(text)) {
    if (value !== '') query[key] = key in query ? `${query[key]},${value}` : value
  }
  return query
}

/** Percent-encoding as Python's `unquote` undoes it: what is no valid escape stays as it is. */
const unquote = (text: string): string =>
  text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  )

const encoding = "in a user name or password write '/' as %2F, '#' as %23, '?' as %3F, '@' as %40, ':' as %3A"

const bad = (what: string): Fault =>
  new Fault('invalid', `[DEFAULT] transport_url cannot be read: ${what}.`, { option: 'transport_url' })
