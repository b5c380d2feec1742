import { join } from 'node:path'
import { authtokenOf } from '../../base/config/common/auth.ts'
import { hostNameOf } from '../../base/config/common/host.ts'
import type { Logger } from '../../base/log.ts'
import { imageSource } from '../../compute/agent/image-source.ts'
import { startAgents } from '../../compute/agent/start-agents.ts'
import { concurrentBuildsOf, libvirtDriverOptionsOf } from '../../compute/config-file/agent.ts'
import type { novaOptions } from '../../compute/config-file/nova.ts'
import type { Driver } from '../../compute/virt/driver.ts'
import type { StartDaemon } from './daemon.ts'
import { runOnHost } from './host-run.ts'
import { busOf, endingWithItsMessages } from './messages.ts'
import { imageOf, type NovaConfig } from './nova.ts'
import { oncePerHost } from './once-per-host.ts'
import { tapsDirectory } from './simulation.ts'

export const startNovaCompute: StartDaemon<typeof novaOptions> = async (context) => {
  const { config, log, program } = context
  await using undo = new AsyncDisposableStack()
  await oncePerHost(context, config, undo)
  const host = hostNameOf(config)
  const bus = busOf({ program, config, exchange: 'nova', log })
  undo.defer(() => bus.close())
  const image = imageOf(config, { section: 'keystone_authtoken', settings: authtokenOf(config) })
  undo.use(
    await startAgents({
      hosts: [{ host, hostIp: config.myIp, driver: await driverOf(config, host, log, undo) }],
      bus,
      images: imageSource(image.client),
      log,
      concurrentBuilds: concurrentBuildsOf(config),
    }),
  )
  return endingWithItsMessages(bus, undo.move())
}

async function driverOf(
  config: NovaConfig,
  host: string,
  log: Logger,
  undo: AsyncDisposableStack,
): Promise<Driver> {
  if (config.computeDriver === 'fake.FakeDriver') {
    const { FakeDriver } = await import('../../compute/virt/fake/driver.ts')
    const { sharedTaps } = await import('../../linux/fake/shared-taps.ts')
    const taps = config.simulated ? { taps: sharedTaps(tapsDirectory(config, host)) } : {}
    return new FakeDriver({ host, directory: join(config.instancesPath, 'simulated', host), ...taps })
  }
  const { createLibvirtDriver } = await import('../../compute/virt/libvirt/driver.ts')
  return createLibvirtDriver({
    ...libvirtDriverOptionsOf(config),
    socketPath: socketOf(config.libvirtConnectionUri),
    // nova has no option for it but names of rootwrap's files: OpenStack's is always started by sudo.
    run: await runOnHost({ project: 'nova', rootHelper: 'sudo' }, log, undo),
    log,
  })
}

/** `qemu:///system?socket=/run/libvirt/libvirt-sock`; the distribution's libvirtd unless it says otherwise. */
const socketOf = (uri: string): string =>
  new URLSearchParams(uri.split('?')[1]).get('socket') ?? '/run/libvirt/libvirt-sock'
