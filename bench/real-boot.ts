/**
 * Real guests: POST /servers to ACTIVE, and DELETE to gone, beside the hypervisor's share of it: the same disk, domain
 * and start through the driver alone, with nothing of a cloud around it. Needs root: `node bench/real-boot.ts [ROUNDS]`.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLogger } from '../src/base/log.ts'
import { table } from '../src/cli/terminal/table.ts'
import { openDriver } from '../src/cli/up/host.ts'
import type { GuestSpec } from '../src/compute/virt/driver.ts'
import { type BenchCloud, startBenchCloud } from './cloud.ts'

const rounds = Number(process.argv[2] ?? 5)

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

interface Times {
  active: number[]
  gone: number[]
}

async function bootThroughCloud(cloud: BenchCloud): Promise<Times> {
  const { images } = await cloud.call<{ images: { id: string }[] }>('image', 'GET', '/v2/images')
  const { networks } = await cloud.call<{ networks: { id: string }[] }>('network', 'GET', '/v2.0/networks')
  const times: Times = { active: [], gone: [] }
  for (let round = 0; round <= rounds; round++) {
    const body = {
      name: `bench-${round}`,
      imageRef: images[0]?.id,
      flavorRef: '1',
      networks: [{ uuid: networks[0]?.id }],
    }
    const posted = performance.now()
    const { server } = await cloud.call<{ server: { id: string } }>('compute', 'POST', '/v2.1/servers', {
      server: body,
    })
    await until(async () => {
      const shown = await cloud.call<{ server: { status: string } }>(
        'compute',
        'GET',
        `/v2.1/servers/${server.id}`,
      )
      if (shown.server.status === 'ERROR') throw new Error(`server ${server.id} is in ERROR`)
      return shown.server.status === 'ACTIVE'
    })
    const active = performance.now()
    await cloud.call('compute', 'DELETE', `/v2.1/servers/${server.id}`)
    await until(async () => {
      const { servers } = await cloud.call<{ servers: unknown[] }>('compute', 'GET', '/v2.1/servers')
      return servers.length === 0
    })
    // The first boot fetches the image and is not counted.
    if (round === 0) continue
    times.active.push(active - posted)
    times.gone.push(performance.now() - active)
  }
  return times
}

async function bootByDriver(cloud: BenchCloud): Promise<Times> {
  const { images } = await cloud.call<{ images: { id: string }[] }>('image', 'GET', '/v2/images')
  const { stateDir, settings } = cloud
  await using driver = await openDriver({
    stateDir,
    settings,
    log: silentLogger,
    onProgress: () => undefined,
  })
  await driver.start(() => undefined)
  const times: Times = { active: [], gone: [] }
  const source = { download: () => Promise.reject(new Error('the image is in the cache already')) }
  for (let round = 0; round < rounds; round++) {
    const spec = guest(images[0]?.id ?? '', round)
    const begun = performance.now()
    await driver.spawn(spec, source, { paused: false })
    const active = performance.now()
    await driver.destroy(spec.uuid)
    times.active.push(active - begun)
    times.gone.push(performance.now() - active)
  }
  return times
}

function guest(imageId: string, round: number): GuestSpec {
  return {
    uuid: randomUUID(),
    name: `bench-${round}`,
    displayName: `bench-${round}`,
    projectId: 'bench',
    userId: 'bench',
    vcpus: 1,
    memoryMb: 192,
    rootGb: 1,
    ephemeralGb: 0,
    swapMb: 0,
    flavorName: 'm1.nano',
    extraSpecs: {},
    image: { id: imageId, diskFormat: 'qcow2', properties: {} },
    vifs: [],
    configDrive: null,
  }
}

async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await sleep(20)
}

using cloud = await startBenchCloud([])
const whole = await bootThroughCloud(cloud)
const floor = await bootByDriver(cloud)
const row = (what: string, times: Times) => [
  what,
  `${median(times.active).toFixed(0)} ms`,
  `${median(times.gone).toFixed(0)} ms`,
]
const rest = median(whole.active) - median(floor.active)
console.log(
  table(
    ['what', 'start', 'delete'],
    [
      row('through the cloud', whole),
      row('through the driver alone', floor),
      [
        'the cloud adds',
        `${rest.toFixed(0)} ms (budget 300)`,
        `${(median(whole.gone) - median(floor.gone)).toFixed(0)} ms`,
      ],
    ],
  ),
)
