/** The network agents on a real kernel: veth guests, real iptables, dnsmasq and haproxy. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createMemoryBus } from '../../src/base/bus/memory.ts'
import { createLogger } from '../../src/base/log.ts'
import { type Host, realHost } from '../../src/linux/host.ts'
import { hostRun } from '../../src/linux/run.ts'
import type { RunningAgent } from '../../src/network/agents/agent.ts'
import { type BridgeOptions, defaultBridgeOptions } from '../../src/network/agents/bridge/options.ts'
import { createProviderNetwork } from '../../src/network/agents/bridge/provider-network.ts'
import { startBridgeAgent } from '../../src/network/agents/bridge/start-bridge-agent.ts'
import { type Daemons, hostDaemons } from '../../src/network/agents/dhcp/daemons.ts'
import { defaultDhcpOptions } from '../../src/network/agents/dhcp/options.ts'
import { startDhcpAgent } from '../../src/network/agents/dhcp/start-dhcp-agent.ts'
import { type MetadataRequest, signInstanceId } from '../../src/network/agents/metadata/metadata-proxy.ts'
import { startMetadataAgent } from '../../src/network/agents/metadata/start-metadata-agent.ts'
import { bridgeName, tapName } from '../../src/network/agents/names.ts'
import { purgeHost } from '../../src/network/agents/purge-host.ts'
import {
  aGroup,
  aNetwork,
  aPort,
  aRule,
  emptyWanted,
  groupId,
  networkId,
  type StubServer,
  stubServer,
} from '../../src/network/agents/testing.ts'
import type { WantedDhcpNetwork, WantedPort } from '../../src/network/rpc/agents.ts'
import { inOwnNetns } from './own-netns.ts'
import { VethGuest } from './veth-guest.ts'

const icmp = aRule({ id: 'ping', protocol: 'icmp' })
const cidr = '172.24.4.0/24'

/** Ports of the provider network: 172.24.4.1n. */
const port = (n: number, values: Partial<WantedPort> = {}): WantedPort =>
  aPort(n, {
    fixedIps: [{ subnetId: 'subnet-4', ipAddress: `172.24.4.1${n}`, prefixLength: 24 }],
    ...values,
  })

const dhcpNetwork = (ports: WantedPort[]): WantedDhcpNetwork => ({
  id: networkId,
  mtu: 1450,
  dnsDomain: 'openstacklocal',
  subnets: [
    {
      id: 'subnet-4',
      cidr,
      ipVersion: 4,
      gatewayIp: '172.24.4.1',
      enableDhcp: true,
      dnsNameservers: ['192.0.2.53'],
      hostRoutes: [],
      ipv6RaMode: null,
      ipv6AddressMode: null,
    },
  ],
  dhcpPort: {
    id: port(2).id.replace('a', 'd'),
    macAddress: 'fa:16:3e:00:00:02',
    fixedIps: [{ subnetId: 'subnet-4', ipAddress: '172.24.4.2', prefixLength: 24 }],
  },
  ports: ports.map((each) => ({ ...each, dnsName: '', extraDhcpOptions: [] })),
})

/** Counts what is changed, so that a test can say that nothing was. */
function counted(host: Host): { host: Host; changes: () => number } {
  let changes = 0
  const count =
    <A extends unknown[], R>(work: (...args: A) => R) =>
    (...args: A): R => {
      if (!Array.isArray(args[0]) || args[0].length > 0) changes++
      return work(...args)
    }
  return {
    host: {
      ...host,
      changeLinks: count(host.changeLinks),
      changeSets: count(host.changeSets),
      changeForwarding: count(host.changeForwarding),
      addNamespace: count(host.addNamespace),
      changeRules: (family, list) => {
        changes += list.length
        return host.changeRules(family, list)
      },
    },
    changes: () => changes,
  }
}

/** Everything a cloud could leave behind. */
const listing = (): string =>
  [
    ['ip', '-oneline', 'link', 'show'],
    ['ip', 'netns', 'list'],
    ['ipset', 'list', '-name'],
    ['iptables-save'],
    ['ip6tables-save'],
    ['ebtables-save'],
  ]
    .map(([command, ...args]) => execFileSync(command!, args, { encoding: 'utf8' }))
    .join('')
    .split('\n')
    // Built-in chains and tables stay once something used them.
    .filter((line) => !/^[#*:]|^COMMIT|^$/.test(line))
    .join('\n')

inOwnNetns(import.meta.filename, () => {
  const log = createLogger({ level: process.env['LOG'] ?? 'silent' })
  const bus = createMemoryBus()
  const run = hostRun(log)
  const { host, changes } = counted(realHost(run, log))
  const cloudId = 'default'
  const requests: MetadataRequest[] = []
  let directory: string
  let server: StubServer
  let bridgeAgent: RunningAgent
  let dhcpAgent: RunningAgent
  let metadataAgent: RunningAgent
  let daemons: Daemons
  let options: BridgeOptions
  let guests: VethGuest[] = []
  let bare: string

  const startBridge = () => startBridgeAgent({ bus, host, hostName: 'host', log, cloudId, options })
  const startDhcp = () => {
    const dhcpOptions = { ...defaultDhcpOptions, stateDirectory: directory, metadataProxySocket: socket() }
    daemons = hostDaemons(run, dhcpOptions)
    return startDhcpAgent({ bus, host, daemons, hostName: 'host', log, cloudId, options: dhcpOptions })
  }
  const socket = () => join(directory, 'metadata_proxy')

  before(async () => {
    bare = listing()
    directory = await mkdtemp(join(tmpdir(), 'kilonova-agents-'))
    await chmod(directory, 0o755)
    await writeFile(join(directory, 'print-lease'), '#!/bin/sh\nexec env\n', { mode: 0o755 })
    server = await stubServer(bus)
    const provider = await createProviderNetwork(host, cloudId, cidr)
    options = { ...defaultBridgeOptions, physicalInterfaceMappings: { provider: provider.interfaceName } }
    bridgeAgent = await startBridge()
    dhcpAgent = await startDhcp()
    metadataAgent = await startMetadataAgent({
      bus,
      hostName: 'host',
      log,
      options: {
        metadataProxySocket: socket(),
        metadataProxySharedSecret: 'secret',
        novaMetadataHost: 'localhost',
        novaMetadataPort: 8775,
      },
      forward: async (request) => {
        requests.push(request)
        return { status: 200, contentType: 'application/json', body: Buffer.from('{"uuid":"server-1"}') }
      },
    })
  })

  after(async () => {
    for (const agent of [bridgeAgent, dhcpAgent, metadataAgent, server]) await agent[Symbol.asyncDispose]()
    await bus.close()
    await rm(directory, { recursive: true, force: true })
  })

  /** What busybox tells its script of the lease it got, as environment variables. */
  const requestLease = (guest: VethGuest, ...args: string[]) =>
    guest.run(
      'busybox',
      'udhcpc',
      '-i',
      'eth0',
      '-n',
      '-q',
      '-f',
      '-s',
      join(directory, 'print-lease'),
      ...args,
    )

  async function want(ports: WantedPort[], rules = [icmp]): Promise<void> {
    const network = dhcpNetwork(ports)
    const dhcpPort: WantedPort = port(2, {
      id: network.dhcpPort!.id,
      deviceOwner: 'network:dhcp',
      securityGroupIds: [],
    })
    server.wanted = {
      ...emptyWanted(),
      networks: [aNetwork({ networkType: 'flat', physicalNetwork: 'provider', mtu: 1450 })],
      ports: [...ports, dhcpPort],
      securityGroups: aGroup(rules),
      remoteGroups: {
        [groupId]: {
          ipv4: ports.flatMap((each) => each.fixedIps.map((ip) => `${ip.ipAddress}/32`)),
          ipv6: [],
        },
      },
    }
    server.dhcp = [network]
    await dhcpAgent.sync()
    await bridgeAgent.sync()
  }

  test('guests get their addresses by DHCP, and their ports become ACTIVE without a timer', async () => {
    await want([port(3), port(4), port(5)])
    assert.ok(server.dhcpReady.includes(port(3).id))
    guests = [3, 4, 5].map((n) => new VethGuest(port(n)))
    const [one] = guests as [VethGuest]
    await until(async () => server.wanted.ports.every((each) => each.status === 'ACTIVE'))
    for (const guest of guests) guest.useAddresses()
    const lease = await requestLease(one, '-O', 'staticroutes')
    assert.match(lease.output, /^ip=172\.24\.4\.13$/m)
    assert.match(lease.output, /^router=172\.24\.4\.1$/m)
    assert.match(lease.output, /^mtu=1450$/m)
    assert.match(
      lease.output,
      /^staticroutes=169\.254\.169\.254\/32 172\.24\.4\.2 0\.0\.0\.0\/0 172\.24\.4\.1$/m,
    )
  })

  test('guests reach each other when their group allows it', async () => {
    assert.equal(await guests[0]!.reaches('172.24.4.14'), true)
    assert.equal(await guests[1]!.reaches('172.24.4.13'), true)
  })

  test('the host reaches its guests through their groups', async () => {
    const ping = () => run('ping', ['-c', '2', '-i', '0.2', '-W', '1', '172.24.4.13'], { okCodes: [1] })
    assert.equal((await ping()).code, 0)
    assert.equal(await guests[0]!.reaches('172.24.4.1'), true)
    await want([port(3), port(4), port(5)], [])
    assert.equal((await ping()).code, 1)
  })

  test('without a rule nothing comes in, and answers still do', async () => {
    assert.equal(await guests[0]!.reaches('172.24.4.14'), false)
    assert.equal(await guests[0]!.reaches('172.24.4.1'), true)
  })

  test('a rule for a remote group lets its members in, and a new member changes no rule', async () => {
    const rule = aRule({ remoteGroupId: groupId })
    await want([port(3), port(4)], [rule])
    assert.equal(await guests[0]!.reaches('172.24.4.14'), true)
    const before = execFileSync('iptables-save', { encoding: 'utf8' })
    server.wanted.remoteGroups[groupId]!.ipv4.push('172.24.4.99/32')
    await bridgeAgent.sync()
    assert.equal(rulesOf(execFileSync('iptables-save', { encoding: 'utf8' })), rulesOf(before))
    assert.match(execFileSync('ipset', ['save'], { encoding: 'utf8' }), /add NIPv4\S+ 172\.24\.4\.99/)
    await want([port(3), port(4), port(5)])
  })

  test('a guest that forges its address is not heard, neither by IP nor by ARP', async () => {
    const [liar, , witness] = guests as [VethGuest, VethGuest, VethGuest]
    await using heard = await witness.listen('ether src fa:16:3e:00:00:03')
    liar.ip('address', 'add', '172.24.4.14/24', 'dev', 'eth0')
    await liar.reaches('172.24.4.15', '-I', '172.24.4.14')
    await liar.run('busybox', 'arping', '-c', '2', '-U', '-I', 'eth0', '-s', '172.24.4.14', '172.24.4.14')
    liar.ip('neighbour', 'replace', '172.24.4.15', 'lladdr', 'fa:16:3e:00:00:05', 'dev', 'eth0')
    await liar.reaches('172.24.4.15', '-I', '172.24.4.14')
    liar.ip('address', 'delete', '172.24.4.14/24', 'dev', 'eth0')
    assert.equal(await liar.reaches('172.24.4.15'), true)
    assert.ok(heard.lines.some((line) => line.includes('172.24.4.13')))
    assert.deepEqual(
      heard.lines.filter((line) => /(tell|is-at|> 172).*172\.24\.4\.14|172\.24\.4\.14 >/.test(line)),
      [],
    )
  })

  test('a guest that forges its MAC address is not heard at all', async () => {
    const [liar, , witness] = guests as [VethGuest, VethGuest, VethGuest]
    await using heard = await witness.listen('ether src 02:00:00:00:66:66')
    liar.ip('link', 'set', 'eth0', 'address', '02:00:00:00:66:66')
    assert.equal(await liar.reaches('172.24.4.15'), false)
    liar.ip('link', 'set', 'eth0', 'address', liar.port.macAddress)
    assert.equal(await liar.reaches('172.24.4.15'), true)
    assert.deepEqual(heard.lines, [])
  })

  test('without port security a guest may be anybody', async () => {
    await want([port(3, { portSecurityEnabled: false }), port(4), port(5)])
    const [free, , witness] = guests as [VethGuest, VethGuest, VethGuest]
    await using heard = await witness.listen('arp and ether src 02:00:00:00:66:66')
    free.ip('link', 'set', 'eth0', 'address', '02:00:00:00:66:66')
    free.ip('neighbour', 'flush', 'dev', 'eth0')
    assert.equal(await free.reaches('172.24.4.15'), true)
    assert.ok(heard.lines.length > 0)
    free.ip('link', 'set', 'eth0', 'address', free.port.macAddress)
    await want([port(3), port(4), port(5)])
  })

  test('a metadata request arrives with the instance it comes from, signed; forged headers do not count', async () => {
    server.findPort = ({ networkId: network, ipAddress }) =>
      network === networkId && ipAddress === '172.24.4.13'
        ? { deviceId: 'server-1', projectId: 'project' }
        : null
    const [guest, stranger] = guests as [VethGuest, VethGuest]
    for (const each of [guest, stranger])
      each.ip('route', 'replace', '169.254.169.254/32', 'via', '172.24.4.2')
    const url = 'http://169.254.169.254/openstack/latest/meta_data.json?x=1'
    const reply = await guest.run(
      'busybox',
      'wget',
      '-q',
      '-O',
      '-',
      '--header',
      'X-Forwarded-For: 172.24.4.14',
      url,
    )
    assert.equal(reply.output, '{"uuid":"server-1"}')
    const [request] = requests
    assert.equal(request?.url, '/openstack/latest/meta_data.json?x=1')
    assert.deepEqual(request?.headers, {
      'X-Forwarded-For': '172.24.4.13',
      'X-Instance-ID': 'server-1',
      'X-Tenant-ID': 'project',
      'X-Instance-ID-Signature': signInstanceId('server-1', 'secret'),
    })
    const refused = await stranger.run(
      'busybox',
      'wget',
      '-O',
      '-',
      '--header',
      'X-Forwarded-For: 172.24.4.13',
      url,
    )
    assert.match(refused.output, /404/)
  })

  test('agents that are started again change nothing and keep their daemons', async () => {
    // A first look at what the tests before left, so that only the restart counts.
    await bridgeAgent.sync()
    const pids = () => execFileSync('ip', ['netns', 'pids', `qdhcp-${networkId}`], { encoding: 'utf8' })
    const [daemonsBefore, changesBefore] = [pids(), changes()]
    await bridgeAgent[Symbol.asyncDispose]()
    await dhcpAgent[Symbol.asyncDispose]()
    bridgeAgent = await startBridge()
    dhcpAgent = await startDhcp()
    await bridgeAgent.sync()
    await dhcpAgent.sync()
    assert.equal(changes(), changesBefore)
    assert.equal(pids(), daemonsBefore)
    assert.equal(pids().trim().split('\n').length, 2)
  })

  test('rules that somebody flushed come back', async () => {
    execFileSync('iptables', ['-F', 'neutron-linuxbri-FORWARD'])
    await bridgeAgent[Symbol.asyncDispose]()
    bridgeAgent = await startBridge()
    await bridgeAgent.sync()
    await want([port(3), port(4), port(5)], [])
    assert.equal(await guests[0]!.reaches('172.24.4.14'), false)
  })

  test('an address that was given to another guest can be leased by it', async () => {
    const heir = port(6, { fixedIps: port(3).fixedIps })
    guests[0]!.remove()
    await want([heir, port(4), port(5)])
    const guest = new VethGuest(heir)
    guests[0] = guest
    const lease = await requestLease(guest)
    assert.match(lease.output, /^ip=172\.24\.4\.13$/m)
  })

  test('a guest that came later is known to the same dnsmasq', async () => {
    const pid = async () => readFile(join(directory, 'dhcp', networkId, 'pid'), 'utf8')
    const pidBefore = await pid()
    const late = port(7)
    await want([guests[0]!.port, port(4), port(5), late], [aRule({ protocol: 'tcp' })])
    const guest = new VethGuest(late)
    guests.push(guest)
    assert.match((await requestLease(guest)).output, /^ip=172\.24\.4\.17$/m)
    assert.equal(await pid(), pidBefore)
  })

  /** Has the second guest talk to the third, cuts that off, and looks that no more is heard. */
  async function talkUntil(portNumber: string, cut: () => Promise<unknown>): Promise<void> {
    const [, sender, receiver] = guests as [VethGuest, VethGuest, VethGuest]
    await using heard = await receiver.listen(`tcp port ${portNumber}`)
    await using _listener = receiver.start('busybox', 'nc', '-l', '-p', portNumber)
    await until(async () =>
      (await receiver.run('busybox', 'netstat', '-ltn')).output.includes(`:${portNumber}`),
    )
    await using client = sender.start('busybox', 'nc', '172.24.4.15', portNumber)
    client.stdin.write('hello\n')
    await until(async () => heard.lines.some((line) => line.includes('length 6')))
    await cut()
    const before = heard.lines.length
    client.stdin.write('hello\n')
    await new Promise((resolve) => setTimeout(resolve, 500))
    assert.equal(heard.lines.length, before)
  }

  test('a connection ends when the rule that allowed it goes', () =>
    talkUntil('7777', () =>
      want(
        guests.map((guest) => guest.port),
        [],
      ),
    ))

  test('a connection ends when who opened it leaves the group that is let in', async () => {
    await want(
      guests.map((guest) => guest.port),
      [aRule({ remoteGroupId: groupId })],
    )
    await talkUntil('7778', async () => {
      const { ipv4 } = server.wanted.remoteGroups[groupId]!
      server.wanted.remoteGroups[groupId]!.ipv4 = ipv4.filter((cidr) => cidr !== '172.24.4.14/32')
      await bridgeAgent.sync()
    })
  })

  async function startAgainWith(filter: BridgeOptions['filter']): Promise<void> {
    await bridgeAgent[Symbol.asyncDispose]()
    options = { ...options, filter }
    bridgeAgent = await startBridge()
  }

  const namedSets = () => execFileSync('ipset', ['list', '-name'], { encoding: 'utf8' }).trim()

  test('without ipset guests are protected alike: members of a remote group get in, others do not', async () => {
    const ports = guests.map((guest) => guest.port)
    const [one, two] = guests as [VethGuest, VethGuest]
    const [first, second] = ports.map((each) => each.fixedIps[0]!.ipAddress) as [string, string]
    one.useAddresses()
    await startAgainWith({ packets: true, sets: false })
    await want(ports, [aRule({ remoteGroupId: groupId })])
    assert.equal(namedSets(), '')
    assert.equal(await one.reaches(second), true)
    server.wanted.remoteGroups[groupId]!.ipv4 = [`${second}/32`]
    await bridgeAgent.sync()
    assert.equal(await one.reaches(second), false)
    assert.equal(await two.reaches(first), true)
    const before = changes()
    await startAgainWith({ packets: true, sets: false })
    await bridgeAgent.sync()
    assert.equal(changes(), before)
  })

  test('without a firewall guests hear everything, and a forged sender is still not heard', async () => {
    const ports = guests.map((guest) => guest.port)
    const [one, , witness] = guests as [VethGuest, VethGuest, VethGuest]
    const third = ports[2]!.fixedIps[0]!.ipAddress
    await startAgainWith({ packets: false, sets: true })
    await want(ports, [])
    assert.equal(execFileSync('iptables-save', { encoding: 'utf8' }).includes('neutron-linuxbri-i'), false)
    assert.equal(await one.reaches(third), true)
    await using heard = await witness.listen('ether src 02:00:00:00:66:66')
    one.ip('link', 'set', 'eth0', 'address', '02:00:00:00:66:66')
    assert.equal(await one.reaches(third), false)
    one.ip('link', 'set', 'eth0', 'address', one.port.macAddress)
    assert.deepEqual(heard.lines, [])
    await startAgainWith({ packets: true, sets: true })
    await want(ports, [])
    assert.equal(await one.reaches(third), false)
  })

  test('a purge leaves nothing', async () => {
    for (const guest of guests) guest.remove()
    for (const agent of [bridgeAgent, dhcpAgent]) await agent[Symbol.asyncDispose]()
    assert.notEqual(listing(), bare)
    await purgeHost({ host, daemons, cloudId, options })
    assert.equal(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }), '')
    const links = await host.links()
    assert.deepEqual([...links.keys()], ['lo'])
    assert.equal(listing(), bare)
    assert.equal(links.has(bridgeName(networkId)) || links.has(tapName(port(3).id)), false)
  })
})

/** Waits until something is so; the test's own limit ends what never comes. */
async function until(what: () => Promise<boolean>): Promise<void> {
  for (let round = 0; !(await what()); round++) {
    assert.ok(round < 1000, `it never came to be: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Rules without the time they were printed at. */
const rulesOf = (text: string): string => text.replaceAll(/^#.*$/gm, '')
