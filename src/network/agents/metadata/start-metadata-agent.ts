/** The metadata agent: one proxy on a Unix socket for all networks of a host. */
import { chmod, chown, readFile, rm } from 'node:fs/promises'
import { Fault } from '../../../base/errors.ts'
import { type AgentDeps, type RunningAgent, runAgent } from '../agent.ts'
import { serverOf } from '../server.ts'
import { createMetadataProxy, type Forward } from './metadata-proxy.ts'

export interface MetadataAgentDeps extends AgentDeps {
  options: {
    /** Where to listen; null on simulated hosts, whose guests ask nothing. */
    metadataProxySocket: string | null
    metadataProxySharedSecret: string
    /** For the agent's report. */
    novaMetadataHost: string
    novaMetadataPort: number
  }
  /** `forwardOverHttp('http://controller:8775')`, or a call into the service in the same process. */
  forward: Forward
}

export async function startMetadataAgent(deps: MetadataAgentDeps): Promise<RunningAgent> {
  await using undo = new AsyncDisposableStack()
  const { log, options, forward } = deps
  const socket = options.metadataProxySocket
  if (socket !== null) {
    const sharedSecret = options.metadataProxySharedSecret
    const proxy = createMetadataProxy({ server: serverOf(deps), forward, sharedSecret, log })
    await listen(proxy, socket)
    undo.defer(async () => {
      const closed = new Promise((resolve) => proxy.close(resolve))
      proxy.closeAllConnections()
      await closed
    })
  }
  undo.use(
    await runAgent(deps, {
      report: () => ({
        agentType: 'Metadata agent',
        binary: 'neutron-metadata-agent',
        topic: 'N/A',
        configurations: {
          metadata_proxy_socket: socket ?? '',
          nova_metadata_host: options.novaMetadataHost,
          nova_metadata_port: options.novaMetadataPort,
          log_agent_heartbeats: false,
        },
      }),
    }),
  )
  const kept = undo.move()
  return { sync: async () => undefined, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** The kernel keeps the path of a Unix socket in 108 bytes, the last of them zero. */
const longestSocketPath = 107

async function listen(proxy: ReturnType<typeof createMetadataProxy>, path: string): Promise<void> {
  if (Buffer.byteLength(path) > longestSocketPath) {
    throw new Fault(
      'invalid',
      `The path of the metadata proxy's socket is longer than ${longestSocketPath} bytes: ${path}. Choose a shorter state directory.`,
    )
  }
  // Left by an agent that was killed.
  await rm(path, { force: true })
  await new Promise<void>((resolve, reject) => {
    proxy.once('error', reject)
    proxy.listen(path, () => {
      proxy.removeListener('error', reject)
      resolve()
    })
  })
  // haproxy gives up root. Nobody else may connect: who can, can ask for any guest's metadata.
  await chmod(path, 0o660)
  const group = await haproxyGroup()
  if (group !== undefined && process.getuid?.() === 0) await chown(path, 0, group)
}

async function haproxyGroup(): Promise<number | undefined> {
  const groups = await readFile('/etc/group', 'utf8')
  const line = groups.split('\n').find((text) => text.startsWith('haproxy:'))
  return line === undefined ? undefined : Number(line.split(':')[2])
}
