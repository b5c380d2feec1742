/** The network agents of one host, each a program of its own. */
import { hostNameOf } from '../../base/config/common/host.ts'
import type { simulationOptions } from '../../base/config/common/simulation.ts'
import type { Config, Options } from '../../base/config/option.ts'
import type { Logger } from '../../base/log.ts'
import type { Host } from '../../linux/host.ts'
import type { Run } from '../../linux/run.ts'
import type { AgentDeps } from '../../network/agents/agent.ts'
import { forwardOverHttp } from '../../network/agents/metadata/metadata-proxy.ts'
import {
  type agentOptions,
  bridgeOptionsOf,
  type dhcpAgentOptions,
  dhcpOptionsOf,
  type linuxbridgeAgentOptions,
  type metadataAgentOptions,
  metadataOptionsOf,
  metadataUrlOf,
  type rootHelperOptions,
} from '../../network/config-file/agents.ts'
import type { Daemon, DaemonContext, StartDaemon } from './daemon.ts'
import { runOnHost } from './host-run.ts'
import { busOf, endingWithItsMessages } from './messages.ts'
import { oncePerHost } from './once-per-host.ts'
import { tapsDirectory } from './simulation.ts'

type AgentConfig = Config<typeof agentOptions>

export const startLinuxbridgeAgent: StartDaemon<typeof linuxbridgeAgentOptions> = (context) =>
  startAgent(context, async (deps, undo) => {
    const { startBridgeAgent } = await import('../../network/agents/bridge/start-bridge-agent.ts')
    const { config, log } = context
    await oncePerHost(context, config, undo)
    const options = bridgeOptionsOf(config)
    const nics = Object.values(options.physicalInterfaceMappings)
    const run = await runOnHost(helperOf(config), log, undo)
    const host = await hostOf({ config, log, run, nics, seesGuests: true }, undo)
    undo.use(await startBridgeAgent({ ...deps, host, cloudId: 'default', options }))
  })

export const startNeutronDhcpAgent: StartDaemon<typeof dhcpAgentOptions> = (context) =>
  startAgent(context, async (deps, undo) => {
    const { startDhcpAgent } = await import('../../network/agents/dhcp/start-dhcp-agent.ts')
    const { hostDaemons, simulatedDaemons } = await import('../../network/agents/dhcp/daemons.ts')
    const { config, log } = context
    await oncePerHost(context, config, undo)
    const options = dhcpOptionsOf(config)
    const run = await runOnHost(helperOf(config), log, undo)
    const host = await hostOf({ config, log, run, nics: [], seesGuests: false }, undo)
    const daemons = config.simulated ? simulatedDaemons() : hostDaemons(run, options)
    undo.use(await startDhcpAgent({ ...deps, host, daemons, cloudId: 'default', options }))
  })

export const startNeutronMetadataAgent: StartDaemon<typeof metadataAgentOptions> = (context) =>
  startAgent(context, async (deps, undo) => {
    const { startMetadataAgent } = await import('../../network/agents/metadata/start-metadata-agent.ts')
    const { config } = context
    const { metadataProxySocket, ...options } = metadataOptionsOf(config)
    undo.use(
      await startMetadataAgent({
        ...deps,
        // Simulated guests ask nothing.
        options: { ...options, metadataProxySocket: config.simulated ? null : metadataProxySocket },
        forward: forwardOverHttp(metadataUrlOf(config)),
      }),
    )
  })

async function startAgent<O extends Options>(
  context: DaemonContext<O>,
  start: (deps: AgentDeps, undo: AsyncDisposableStack) => Promise<void>,
): Promise<Daemon> {
  const { log, program } = context
  const config = context.config as AgentConfig
  await using undo = new AsyncDisposableStack()
  const bus = busOf({ program, config, exchange: 'neutron', log })
  undo.defer(() => bus.close())
  const hostName = hostNameOf(config)
  await start({ bus, hostName, log, reportIntervalSeconds: config.reportIntervalSeconds }, undo)
  return endingWithItsMessages(bus, undo.move())
}

const helperOf = (config: Config<typeof rootHelperOptions>) =>
  ({ project: 'neutron', rootHelper: config.rootHelperDaemon ?? config.rootHelper }) as const

/** This machine, or one that only pretends. */
async function hostOf(
  needs: {
    config: Config<typeof simulationOptions> & { host: string | null }
    log: Logger
    run: Run
    nics: readonly string[]
    /** The simulated guests of the host are plugged into it. */
    seesGuests: boolean
  },
  undo: AsyncDisposableStack,
): Promise<Host> {
  const { config, log, run, nics } = needs
  if (!config.simulated) {
    const { realHost } = await import('../../linux/host.ts')
    return realHost(run, log)
  }
  const { FakeHost } = await import('../../linux/fake/fake-host.ts')
  const host = new FakeHost()
  for (const nic of nics) host.addPhysical(nic)
  if (needs.seesGuests) {
    const { watchSharedTaps } = await import('../../linux/fake/shared-taps.ts')
    undo.use(watchSharedTaps(tapsDirectory(config, hostNameOf(config)), host))
  }
  return host
}
