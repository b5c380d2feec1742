/**
 * The programs that serve a network: dnsmasq, and haproxy for metadata. They outlive the agent; what is on disk says
 * for which networks it started some, so a restarted agent finds them, and another cloud's are never touched.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Daemon, daemonPid, reloadDaemon, startDaemon, stopDaemon } from '../../../linux/daemon.ts'
import { dnsmasqFiles, type Lease, parseLeases } from '../../../linux/dnsmasq.ts'
import { isMissing, isReachableByOthers, writeIfChanged } from '../../../linux/files.ts'
import { haproxyConfig } from '../../../linux/haproxy.ts'
import type { Run } from '../../../linux/run.ts'
import { dhcpNamespace } from '../names.ts'
import { dnsmasqConfig } from './dnsmasq-config.ts'
import { mayAsk, type ServedNetwork, servedSubnets, servesMetadata } from './network.ts'
import { type DhcpOptions, metadataAddress } from './options.ts'

export interface Daemons {
  /** Ids of the networks that are served, or were and left something behind. */
  served(): Promise<string[]>
  /** Starts, reloads or restarts what is needed, and only that. */
  serve(network: ServedNetwork): Promise<void>
  /** The same when only its ports changed since. */
  servePorts(network: ServedNetwork): Promise<void>
  withdraw(networkId: string): Promise<void>
}

/** Serves nobody: for simulated hosts. */
export function simulatedDaemons(): Daemons {
  const networks = new Set<string>()
  return {
    served: async () => [...networks],
    serve: async (network) => void networks.add(network.id),
    servePorts: async (network) => void networks.add(network.id),
    withdraw: async (networkId) => void networks.delete(networkId),
  }
}

export function hostDaemons(run: Run, options: DhcpOptions): Daemons {
  const root = join(options.stateDirectory, 'dhcp')
  const directoryOf = (networkId: string) => join(root, networkId)
  return {
    async served() {
      const names = await readdir(root).catch((error: unknown) => {
        if (isMissing(error)) return []
        throw error
      })
      return names.filter((name) => /^[0-9a-f-]{36}$/.test(name))
    },
    async serve(network) {
      const directory = directoryOf(network.id)
      await mkdir(directory, { recursive: true, mode: 0o755 })
      const where = { directory, user: await userFor(directory) }
      await serveDhcp(run, network, options, where)
      await serveMetadata(run, network, options, where)
    },
    async servePorts(network) {
      const directory = directoryOf(network.id)
      await serveDhcp(run, network, options, { directory, user: await userFor(directory) })
    },
    async withdraw(networkId) {
      const directory = directoryOf(networkId)
      await stopDaemon(dnsmasqDaemon(directory))
      await stopDaemon(haproxyDaemon(directory))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/**
 * Whom a daemon works as: `root` where nobody else may enter the directory, `its own` user where all may, and the
 * `agent`'s where that is not root.
 */
type User = 'root' | 'its own' | 'agent'

interface Where {
  directory: string
  user: User
}

async function userFor(directory: string): Promise<User> {
  if (process.getuid?.() !== 0) return 'agent'
  return (await isReachableByOthers(directory)) ? 'its own' : 'root'
}

const dnsmasqDaemon = (directory: string) => {
  const files = dnsmasqFiles(directory)
  return { pidFile: files.pid, mark: files.hosts }
}

async function serveDhcp(
  run: Run,
  network: ServedNetwork,
  options: DhcpOptions,
  where: Where,
): Promise<void> {
  const identity = dnsmasqDaemon(where.directory)
  if (servedSubnets(network).length === 0) return stopDaemon(identity)
  const files = dnsmasqFiles(where.directory)
  const config = dnsmasqConfig(network, options, {
    directory: where.directory,
    asRoot: where.user === 'root',
  })
  const changed = [
    await writeIfChanged(files.hosts, config.hosts),
    await writeIfChanged(files.addnHosts, config.addnHosts),
    await writeIfChanged(files.options, config.options),
  ].includes(true)
  const restart = await writeIfChanged(join(where.directory, 'command'), config.args.join('\n'))
  const stale = changed ? await staleLeases(network, files.leases) : []
  const pid = await daemonPid(identity)
  if (pid !== undefined && !restart && stale.length === 0) {
    if (changed) reloadDaemon(pid)
    return
  }
  await stopDaemon(identity)
  if (stale.length > 0) await dropLeases(files.leases, stale)
  const daemon: Daemon = {
    ...identity,
    command: 'dnsmasq',
    args: config.args,
    netns: dhcpNamespace(network.id),
  }
  await startDaemon(run, daemon)
}

/** Leases on addresses that belong to another guest by now: dnsmasq would refuse to give them to their new owner. */
async function staleLeases(network: ServedNetwork, file: string): Promise<Lease[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return ''
    throw error
  })
  if (text === '') return []
  const owners = new Map(
    network.ports
      .values()
      .filter(mayAsk)
      .flatMap((port) => port.fixedIps.map((ip) => [ip.ipAddress, port.macAddress.toLowerCase()] as const)),
  )
  return parseLeases(text).filter((lease) => {
    const owner = owners.get(lease.ipAddress)
    return owner !== undefined && owner !== lease.macAddress
  })
}

/** dnsmasq writes its file when it ends, so this comes after. */
async function dropLeases(file: string, leases: readonly Lease[]): Promise<void> {
  const gone = new Set(leases.map((lease) => `${lease.macAddress} ${lease.ipAddress}`))
  const lines = (await readFile(file, 'utf8')).split('\n')
  const kept = lines.filter((line) => {
    const [, mac, ip] = line.split(' ')
    return !gone.has(`${mac} ${ip}`)
  })
  await writeIfChanged(file, kept.join('\n'))
}

const haproxyDaemon = (directory: string) => ({
  pidFile: join(directory, 'haproxy.pid'),
  mark: join(directory, 'haproxy.conf'),
})

async function serveMetadata(
  run: Run,
  network: ServedNetwork,
  options: DhcpOptions,
  where: Where,
): Promise<void> {
  const identity = haproxyDaemon(where.directory)
  if (!servesMetadata(network, options.enableIsolatedMetadata)) return stopDaemon(identity)
  // It gives up root before it connects, so the way to the socket must be open too.
  const ownUser =
    where.user === 'its own' && (await isReachableByOthers(dirname(options.metadataProxySocket)))
  const config = haproxyConfig({
    pidFile: identity.pidFile,
    listen: `${metadataAddress}:80`,
    socket: options.metadataProxySocket,
    headers: { 'X-Neutron-Network-ID': network.id },
    dropHeaders: ['X-Neutron-Router-ID', 'X-Instance-ID', 'X-Tenant-ID', 'X-Instance-ID-Signature'],
    ...(ownUser ? { user: 'haproxy', group: 'haproxy' } : {}),
  })
  const changed = await writeIfChanged(identity.mark, config)
  if (!changed && (await daemonPid(identity)) !== undefined) return
  await stopDaemon(identity)
  const netns = dhcpNamespace(network.id)
  // What is not root at its start may not have port 80, unless its namespace lets everybody.
  if (where.user === 'agent')
    await run('sysctl', ['-q', '-w', 'net/ipv4/ip_unprivileged_port_start=80'], { netns })
  await startDaemon(run, { ...identity, command: 'haproxy', args: ['-D', '-f', identity.mark], netns })
}
