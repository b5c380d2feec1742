/** A libvirtd of its own, a network with DHCP and a metadata service, and the guest image: for tests with real guests. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '#base/clock.ts'
import { Fault } from '#base/errors.ts'
import { createLogger, type Logger } from '#base/log.ts'
import type { Driver, GuestSpec, ImageSource, LifecycleEvent } from '#compute/virt/driver.ts'
import { buildGuestImage } from '#compute/virt/guest-image/build.ts'
import { startLibvirt, stopLibvirt } from '#compute/virt/libvirt/daemon.ts'
import { createLibvirtDriver } from '#compute/virt/libvirt/driver.ts'
import { hostRun, type Run } from '#linux/run.ts'

const needed = ['libvirtd', 'virtlogd', 'qemu-system-x86_64', 'qemu-img', 'dnsmasq', 'genisoimage', 'apt-get']

/** Why these tests cannot run here, or undefined when they can. */
export async function whyNot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'needs root'
  const run = hostRun(createLogger({ level: 'silent' }))
  for (const program of needed) {
    const { code } = await run('which', [program], { okCodes: [1] })
    if (code !== 0) return `needs ${program}`
  }
  const tun = await run('test', ['-c', '/dev/net/tun'], { okCodes: [1] })
  return tun.code === 0 ? undefined : 'needs /dev/net/tun'
}

export class LibvirtWorld implements AsyncDisposable {
  readonly stateDir: string
  readonly driver: Driver
  readonly events: LifecycleEvent[] = []
  readonly run: Run
  readonly bridge: string
  readonly images: ImageSource
  readonly #log: Logger
  readonly #cleanup: AsyncDisposableStack

  private constructor(parts: {
    stateDir: string
    driver: Driver
    run: Run
    log: Logger
    image: string
    suffix: string
    cleanup: AsyncDisposableStack
  }) {
    this.stateDir = parts.stateDir
    this.driver = parts.driver
    this.run = parts.run
    this.bridge = `brq${parts.suffix}`
    this.images = { download: (_id, path) => copyFile(parts.image, path) }
    this.#log = parts.log
    this.#cleanup = parts.cleanup
  }

  static async start(): Promise<LibvirtWorld> {
    await using cleanup = new AsyncDisposableStack()
    const suffix = process.pid.toString(16).padStart(6, '0')
    const stateDir = await mkdtemp(join(tmpdir(), 'kilonova-libvirt-'))
    cleanup.defer(() => rm(stateDir, { recursive: true, force: true }))
    const log = createLogger({ level: 'debug', destination: join(stateDir, 'log') })
    const run = hostRun(log)
    const image = await buildGuestImage({ directory: join(stateDir, 'guest-image'), run, log })
    await startNetwork(suffix, stateDir, run, cleanup)
    const daemon = await startLibvirt({ stateDir, log, run, alwaysPrivate: true })
    cleanup.defer(() => stopLibvirt({ stateDir, log, purge: true }))
    const instancesPath = join(stateDir, 'instances')
    const driver = createLibvirtDriver({ socketPath: daemon.socketPath, instancesPath, run, log })
    cleanup.use(driver)
    cleanup.defer(async () => {
      for (const { uuid } of await driver.listGuests()) await driver.destroy(uuid)
    })
    const kept = cleanup.move()
    const world = new LibvirtWorld({ stateDir, driver, run, log, image, suffix, cleanup: kept })
    await driver.start((event) => world.events.push(event))
    return world
  }

  /** A guest with one port in the world's network. */
  spec(number: number, changes: Partial<GuestSpec> = {}): GuestSpec {
    const uuid = `5b5fa3a2-6d0f-4ab4-b0cc-${process.pid.toString(16).padStart(10, '0')}0${number}`
    return {
      uuid,
      name: `instance-0000000${number}`,
      displayName: `guest ${number}`,
      projectId: 'project',
      userId: 'user',
      vcpus: 1,
      memoryMb: 128,
      rootGb: 1,
      ephemeralGb: 0,
      swapMb: 0,
      flavorName: 'm1.nano',
      extraSpecs: {},
      image: { id: 'guest-image', diskFormat: 'qcow2', properties: {} },
      vifs: [
        {
          portId: uuid,
          networkId: uuid,
          macAddress: `fa:16:3e:00:00:0${number}`,
          mtu: 1450,
          type: 'bridge',
          bridgeName: this.bridge,
          devName: `tap${this.bridge.slice(3)}-${number}`,
        },
      ],
      configDrive: null,
      ...changes,
    }
  }

  /** Waits until the guest's console shows this, and returns the console. */
  async console(uuid: string, pattern: RegExp, seconds = 180): Promise<string> {
    const deadline = Date.now() + seconds * 1000
    for (;;) {
      const text = await this.driver.consoleOutput(uuid)
      if (pattern.test(text)) return text
      if (Date.now() > deadline) throw new Fault('unavailable', `no ${pattern} on the console:\n${text}`)
      await sleep(250)
    }
  }

  /** The process that runs a guest, as libvirt wrote it down. */
  async guestPid(name: string): Promise<number> {
    return Number(await readFile(join(this.stateDir, 'libvirt/run/qemu', `${name}.pid`), 'utf8'))
  }

  /** Kills a daemon as an out-of-memory killer would. */
  async kill(program: 'libvirtd' | 'virtlogd'): Promise<void> {
    const pid = Number(await readFile(join(this.stateDir, `libvirt/run/${program}.pid`), 'utf8'))
    process.kill(pid, 'SIGKILL')
    while (await isAlive(pid)) await sleep(20)
  }

  async startLibvirtd(): Promise<void> {
    await startLibvirt({ stateDir: this.stateDir, log: this.#log, run: this.run })
  }

  /** Taps of the world's guests that exist now. */
  async taps(): Promise<string[]> {
    const { stdout } = await this.run('ip', ['-json', 'link', 'show', 'master', this.bridge])
    const links: { ifname: string }[] = JSON.parse(stdout)
    return links.map(({ ifname }) => ifname).filter((name) => name.startsWith('tap'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanup[Symbol.asyncDispose]()
  }
}

async function isAlive(pid: number): Promise<boolean> {
  try {
    return !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8'))
  } catch {
    // No such process any more.
    return false
  }
}

/** A bridge, and behind it a namespace with a DHCP server and a metadata service: no address on this host itself. */
async function startNetwork(
  suffix: string,
  stateDir: string,
  run: Run,
  cleanup: AsyncDisposableStack,
): Promise<void> {
  const [bridge, netns, inside, outside] = ['brq', 'knt-', 'kni', 'kno'].map((prefix) => prefix + suffix)
  if (!bridge || !netns || !inside || !outside) return
  await run('ip', ['link', 'add', bridge, 'type', 'bridge', 'forward_delay', '0'])
  cleanup.defer(() => run('ip', ['link', 'delete', bridge]).then(() => undefined))
  await run('ip', ['netns', 'add', netns])
  cleanup.defer(() => run('ip', ['netns', 'delete', netns]).then(() => undefined))
  await run('ip', ['link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', netns])
  await run('ip', ['link', 'set', outside, 'master', bridge, 'up'])
  await run('ip', ['link', 'set', bridge, 'addrgenmode', 'none', 'up'])
  for (const address of ['10.254.87.2/24', '169.254.169.254/32']) {
    await run('ip', ['address', 'add', address, 'dev', inside], { netns })
  }
  await run('ip', ['link', 'set', 'lo', 'up'], { netns })
  await run('ip', ['link', 'set', inside, 'up'], { netns })

  const pidFile = join(stateDir, 'dnsmasq.pid')
  const range = ['--dhcp-range=10.254.87.10,10.254.87.99,255.255.255.0,3600']
  // Classless routes, one of them to the metadata service; the router of option 3 must then not be used.
  const routes = [
    '--dhcp-option=option:classless-static-route,169.254.169.254/32,10.254.87.2',
    '--dhcp-option=26,1450',
  ]
  const quiet = [
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--port=0',
    '--leasefile-ro',
    '--no-ping',
  ]
  await run('dnsmasq', [`--pid-file=${pidFile}`, `--interface=${inside}`, ...range, ...routes, ...quiet], {
    netns,
  })
  cleanup.defer(async () => {
    process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGTERM')
  })
  await startMetadataService(netns, stateDir, cleanup)
}

const metadataService = `
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
createServer(async (request, response) => {
  try {
    response.end(await readFile(join(process.argv[1], request.url)))
  } catch {
    response.writeHead(404).end()
  }
}).listen(80, '169.254.169.254', () => console.log('ready'))
`

async function startMetadataService(netns: string, stateDir: string, cleanup: AsyncDisposableStack) {
  const tree = join(stateDir, 'metadata')
  const metadata = {
    uuid: 'uuid-by-http',
    hostname: 'over-http.novalocal',
    public_keys: { k: 'ssh-ed25519 AAAA\n' },
  }
  await mkdir(join(tree, 'openstack/latest'), { recursive: true })
  await mkdir(join(tree, 'latest/meta-data'), { recursive: true })
  await writeFile(join(tree, 'openstack/latest/meta_data.json'), JSON.stringify(metadata))
  await writeFile(
    join(tree, 'openstack/latest/user_data'),
    "#!/bin/sh\necho \"routes: $(ip route | tr '\\n' ';')\"\n",
  )
  await writeFile(join(tree, 'latest/meta-data/instance-id'), 'i-0000002a')
  const args = ['netns', 'exec', netns, process.execPath, '--input-type=module', '-e', metadataService, tree]
  const server = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanup.defer(async () => {
    server.kill()
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
  })
  await once(server.stdout, 'data')
}
