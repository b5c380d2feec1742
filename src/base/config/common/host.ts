/** Options that say which host a program runs on. */
import { hostname, networkInterfaces } from 'node:os'
import { type Config, optional, text } from '../option.ts'

export const hostOptions = {
  host: {
    name: 'host',
    type: optional(text),
    default: null,
    help: 'Name of this host in OpenStack: of its services, agents and message queues. Default: its host name.',
  },
} as const

export const myIpOptions = {
  myIp: {
    name: 'my_ip',
    type: text,
    default: firstAddress(),
    defaultText: 'the first address of this host',
    help: 'Address of this host in the management network. Default: its first that is not a loopback.',
  },
} as const

export const hostNameOf = (config: Config<typeof hostOptions>): string => config.host ?? hostname()

function firstAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}
