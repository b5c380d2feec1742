/** The message broker and memcached. */
import { connect as connectSocket } from 'node:net'
import { readMessagingConfig } from '../../../base/bus/open.ts'
import { connect } from '../../../base/bus/rabbit/connect.ts'
import { explainBroker } from '../../../base/bus/rabbit/explain.ts'
import { parseTransportUrl, showHost } from '../../../base/bus/transport-url.ts'
import { type Check, type Finding, failure, ok, warning } from '../finding.ts'
import { type ProgramHere, textOf, whereOf } from '../programs-here.ts'
import { portFinding, reach } from '../reach.ts'

export function brokerChecks(programs: readonly ProgramHere[]): Check[] {
  const seen = new Map<string, string>()
  for (const program of programs) {
    const url = textOf(program.config, 'transportUrl')
    if (url !== undefined && !seen.has(url)) seen.set(url, whereOf(program, 'transportUrl'))
  }
  const checks = [...seen].map(([url, where]) => checkBroker(url, where))
  return checks.length === 0
    ? []
    : [
        {
          about: 'message broker',
          run: async () => (await Promise.all(checks.map((check) => check()))).flat(),
        },
      ]
}

function checkBroker(url: string, where: string): () => Promise<Finding[]> {
  return async () => {
    const parsed = parseTransportUrl(url)
    if (parsed.transport !== 'rabbit') return []
    const config = readMessagingConfig({}, parsed.query)
    const { virtualHost } = parsed
    return await Promise.all(
      parsed.hosts.map(async (host) => {
        const subject = `RabbitMQ ${showHost(host)} (${where})`
        const port = { host: host.hostname, port: host.port }
        const reached = await reach(port.host, port.port)
        if (!reached.reached) return portFinding(subject, port, reached, where)
        try {
          const connection = await connect({ host, virtualHost, config, name: 'kilonova doctor' })
          await connection.close()
          return ok(subject, `lets user ${host.username} into vhost ${virtualHost}`)
        } catch (error) {
          const why = explainBroker(error, { host, virtualHost, ssl: config.rabbitSsl })
          return failure(
            subject,
            why,
            `On the broker: rabbitmqctl add_user ${host.username} PASSWORD (or change_password); ` +
              `rabbitmqctl set_permissions -p ${virtualHost} ${host.username} ".*" ".*" ".*"`,
          )
        }
      }),
    )
  }
}

export function memcachedChecks(programs: readonly ProgramHere[]): Check[] {
  const servers = new Map<string, string>()
  for (const program of programs) {
    const list = program.config['authtokenMemcachedServers']
    if (!Array.isArray(list)) continue
    for (const server of list as string[]) servers.set(server, whereOf(program, 'authtokenMemcachedServers'))
  }
  if (servers.size === 0) return []
  const run = async () => Promise.all([...servers].map(([server, where]) => checkMemcached(server, where)))
  return [{ about: 'memcached', run }]
}

async function checkMemcached(server: string, where: string): Promise<Finding> {
  const [, host = '', port = '11211'] = /^(?:inet6?:)?\[?([^\]]*?)\]?(?::(\d+))?$/.exec(server) ?? []
  const subject = `memcached ${host}:${port} (${where})`
  const reached = await reach(host, Number(port))
  if (!reached.reached) {
    const { detail, fix } = portFinding(subject, { host, port: Number(port) }, reached, where)
    // Tokens are remembered in each process instead: slower, but right.
    return warning(subject, `${detail}; tokens are validated more often without it`, fix ?? '')
  }
  const version = await versionOf(host, Number(port))
  if (version !== undefined) return ok(subject, `answers as memcached ${version}`)
  return warning(subject, 'answers, but not as memcached does', 'Is another program at this port?')
}

function versionOf(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host, port, timeout: 2000 }, () => socket.write('version\r\n'))
    const end = (version?: string): void => {
      socket.destroy()
      resolve(version)
    }
    socket.once('data', (data) => end(/^VERSION (\S+)/.exec(data.toString())?.[1]))
    socket.once('timeout', () => end())
    socket.once('error', () => end())
  })
}
