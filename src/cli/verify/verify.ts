import { resolve } from 'node:path'
import { describeError, Fault, isFault } from '../../base/errors.ts'
import { newHexId } from '../../base/ids.ts'
import { type AdminClient, remoteAdminClient } from '../admin-client.ts'
import { showProgress } from '../terminal/progress.ts'
import { table } from '../terminal/table.ts'
import { runningProcess } from '../up/process.ts'
import { type CloudSettings, layout, readSecrets, requireSettings } from '../up/settings.ts'
import { consoleOf, eventually, overSsh, ping, type ServerView, untilActive } from './checks.ts'
import { findLeftovers, type Traces } from './leftovers.ts'

type Row = [check: string, result: string, detail: string]

/** Boots a server, looks at it from all sides, deletes it and looks for leftovers. 0 when all is well. */
export async function verify(options: { stateDir: string }): Promise<number> {
  const stateDir = resolve(options.stateDir)
  const settings = requireSettings(stateDir)
  if (runningProcess(stateDir) === undefined) {
    throw new Fault('unavailable', `The cloud in ${stateDir} is down. Start it with: kilonova up`)
  }
  const admin = await remoteAdminClient(settings, readSecrets(stateDir))
  const progress = showProgress()
  const rows: Row[] = []
  const check = async (name: string, work: () => Promise<string>): Promise<void> => {
    progress.step(name)
    const started = performance.now()
    const detail = await work().catch((error: unknown) => {
      rows.push([name, 'FAILED', describeError(error)])
      throw error
    })
    rows.push([name, `${((performance.now() - started) / 1000).toFixed(1)} s`, detail])
  }
  let failed = false
  try {
    await checkServer(stateDir, settings, admin, check)
    progress.done()
  } catch (error) {
    progress.failed()
    failed = true
    if (!isFault(error)) throw error
  }
  console.log(`\n${table(['Check', 'Result', 'Detail'], rows)}`)
  console.log(
    failed ? '\nThe cloud does not work: see FAILED above, and kilonova logs.' : '\nThe cloud works.',
  )
  return failed ? 1 : 0
}

async function checkServer(
  stateDir: string,
  settings: CloudSettings,
  admin: AdminClient,
  check: (name: string, work: () => Promise<string>) => Promise<void>,
): Promise<void> {
  const marker = `verify-${newHexId()}`
  const request = await bootRequest(admin, marker)
  let server: ServerView | undefined
  let traces: Traces | undefined
  try {
    await check('boot a server', async () => {
      const created = await admin.call<{ server: { id: string } }>(
        'compute',
        'POST',
        '/v2.1/servers',
        request,
      )
      traces = { serverId: created.server.id, portIds: [], macAddresses: [] }
      server = await untilActive(admin, created.server.id)
      traces = await tracesOf(admin, created.server.id)
      return `ACTIVE, ${created.server.id}`
    })
    const booted = server as unknown as ServerView
    const address = addressOf(booted)
    await check('address', async () => address)
    if (!settings.simulated) await checkGuest(stateDir, admin, booted, address, marker, check)
  } finally {
    const known = traces
    if (known !== undefined) {
      await check('delete the server', async () => {
        await admin.call('compute', 'DELETE', `/v2.1/servers/${known.serverId}`)
        await eventually('the server is gone', 60, async () => {
          const { servers } = await admin.call<{ servers: { id: string }[] }>(
            'compute',
            'GET',
            '/v2.1/servers',
          )
          return servers.some((one) => one.id === known.serverId) ? undefined : true
        })
        return 'gone'
      })
    }
  }
  const known = traces as unknown as Traces
  await check('nothing is left', async () => {
    let found: string[] = []
    const clean = await eventually('nothing is left', 10, async () => {
      found = await findLeftovers(stateDir, settings, admin, known)
      return found.length === 0 ? true : undefined
    }).catch(() => false)
    if (!clean) throw new Fault('conflict', `left behind: ${found.join('; ')}`)
    return 'server, port, allocation, flow, disk, process, tap, rule, lease'
  })
}

async function checkGuest(
  stateDir: string,
  admin: AdminClient,
  server: ServerView,
  address: string,
  marker: string,
  check: (name: string, work: () => Promise<string>) => Promise<void>,
): Promise<void> {
  const key = layout(stateDir).privateKey
  await check('ping', () => ping(address))
  await check('ssh with the key', () => overSsh(key, address, 'cat /proc/sys/kernel/hostname'))
  await check('metadata', async () => {
    const text = await overSsh(
      key,
      address,
      'wget -qO- http://169.254.169.254/openstack/latest/meta_data.json',
    )
    const metadata = JSON.parse(text) as { uuid: string; name: string }
    if (metadata.uuid !== server.id)
      throw new Fault('conflict', `metadata is of ${metadata.uuid}, not of ${server.id}`)
    return metadata.name
  })
  await check('user data and console', async () => {
    const line = await eventually('the user data script speaks on the console', 60, async () => {
      const text = await consoleOf(admin, server.id)
      return text.split('\n').find((one) => one.includes(marker))
    })
    return line.trim().slice(0, 40)
  })
}

async function bootRequest(admin: AdminClient, marker: string): Promise<object> {
  const { images } = await admin.call<{ images: { id: string; name: string }[] }>(
    'image',
    'GET',
    '/v2/images?sort=created_at:asc',
  )
  const { flavors } = await admin.call<{ flavors: { id: string; name: string }[] }>(
    'compute',
    'GET',
    '/v2.1/flavors',
  )
  const { networks } = await admin.call<{ networks: { id: string }[] }>(
    'network',
    'GET',
    '/v2.0/networks?name=provider',
  )
  const image = images[0]
  const flavor = flavors.find((one) => one.name === 'm1.nano') ?? flavors[0]
  const network = networks[0]
  if (image === undefined || flavor === undefined || network === undefined) {
    throw new Fault('not-found', 'To verify, the cloud needs an image, a flavor and the network "provider".')
  }
  const script = `#!/bin/sh\necho ${marker} > /dev/console\n`
  return {
    server: {
      name: marker.slice(0, 15),
      imageRef: image.id,
      flavorRef: flavor.id,
      networks: [{ uuid: network.id }],
      key_name: 'kilonova',
      user_data: Buffer.from(script).toString('base64'),
    },
  }
}

async function tracesOf(admin: AdminClient, serverId: string): Promise<Traces> {
  type Port = { id: string; mac_address: string }
  const { ports } = await admin.call<{ ports: Port[] }>('network', 'GET', `/v2.0/ports?device_id=${serverId}`)
  return {
    serverId,
    portIds: ports.map((port) => port.id),
    macAddresses: ports.map((port) => port.mac_address),
  }
}

function addressOf(server: ServerView): string {
  const address = Object.values(server.addresses).flat()[0]?.addr
  if (address === undefined) throw new Fault('not-found', `The server ${server.id} has no address.`)
  return address
}
