/** `kill -9` of the whole program while real guests are being created and deleted. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { remoteAdminClient } from '../../src/cli/admin-client.ts'
import { runningProcess } from '../../src/cli/up/process.ts'
import { readSecrets } from '../../src/cli/up/settings.ts'
import { type ServerView, untilActive } from '../../src/cli/verify/checks.ts'
import { findLeftovers, type Traces } from '../../src/cli/verify/leftovers.ts'
import { cannotRunGuests, startRealCloud, type TestCloud, until } from './cloud.ts'

const skip = cannotRunGuests()
const rounds = 10

async function create(cloud: TestCloud, name: string, count = 1): Promise<string> {
  const { images } = await cloud.admin.call<{ images: { id: string }[] }>('image', 'GET', '/v2/images')
  const { networks } = await cloud.admin.call<{ networks: { id: string }[] }>(
    'network',
    'GET',
    '/v2.0/networks',
  )
  const body = {
    name,
    imageRef: images[0]?.id,
    flavorRef: '1',
    networks: [{ uuid: networks[0]?.id }],
    max_count: count,
  }
  const { server } = await cloud.admin.call<{ server: { id: string } }>('compute', 'POST', '/v2.1/servers', {
    server: body,
  })
  return server.id
}

async function servers(
  cloud: TestCloud,
): Promise<(ServerView & { 'OS-EXT-STS:task_state': string | null })[]> {
  return (await cloud.admin.call<{ servers: [] }>('compute', 'GET', '/v2.1/servers/detail')).servers
}

/** The QEMU process of a server; undefined when there is none. */
function guestProcess(id: string): string | undefined {
  return readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return command.includes('qemu-system') && command.includes(id)
    } catch {
      return false
    }
  })
}

async function tracesOf(cloud: TestCloud, serverId: string): Promise<Traces> {
  type Ports = { ports: { id: string; mac_address: string }[] }
  const { ports } = await cloud.admin.call<Ports>('network', 'GET', `/v2.0/ports?device_id=${serverId}`)
  return {
    serverId,
    portIds: ports.map((port) => port.id),
    macAddresses: ports.map((port) => port.mac_address),
  }
}

test('killed at ten random moments, nothing is stuck or leaked and running guests go on', {
  skip,
}, async () => {
  await using cloud = await startRealCloud()
  const witness = await create(cloud, 'witness')
  await untilActive(cloud.admin, witness)
  const witnessProcess = guestProcess(witness)
  assert.ok(witnessProcess)
  const known = new Map<string, Traces>()
  for (let round = 1; round <= rounds; round++) {
    const standing = (await servers(cloud)).filter((server) => server.id !== witness)
    for (const server of standing) known.set(server.id, await tracesOf(cloud, server.id))
    for (const server of standing) await cloud.admin.call('compute', 'DELETE', `/v2.1/servers/${server.id}`)
    known.set(await create(cloud, `round-${round}`), { serverId: '', portIds: [], macAddresses: [] })
    await sleep(randomInt(2500))
    const running = runningProcess(cloud.stateDir)
    assert.ok(running)
    process.kill(running.pid, 'SIGKILL')
    await until('the process is dead', 5, async () => runningProcess(cloud.stateDir) === undefined)
    const up = await cloud.kilonova('up')
    assert.equal(up.code, 0, up.stdout + up.stderr)
    cloud.admin = await remoteAdminClient(cloud.settings, readSecrets(cloud.stateDir))
    await until(`round ${round}: every server has settled`, 90, async () =>
      (await servers(cloud)).every(
        (server) => ['ACTIVE', 'ERROR'].includes(server.status) && server['OS-EXT-STS:task_state'] === null,
      ),
    )
    for (const server of await servers(cloud)) {
      if (server.status === 'ERROR')
        assert.ok(server.fault?.message, `${server.id} is in ERROR without a reason`)
    }
    assert.equal(guestProcess(witness), witnessProcess, 'the running guest was touched')
  }
  for (const server of await servers(cloud)) {
    known.set(server.id, await tracesOf(cloud, server.id))
    await cloud.admin.call('compute', 'DELETE', `/v2.1/servers/${server.id}`)
  }
  await until('all servers are gone', 60, async () => (await servers(cloud)).length === 0)
  for (const [serverId, traces] of known) {
    let left: string[] = []
    await until(`nothing of ${serverId} is left`, 20, async () => {
      left = await findLeftovers(cloud.stateDir, cloud.settings, cloud.admin, { ...traces, serverId })
      return left.length === 0
    }).catch((error: Error) => assert.fail(`${error.message}: ${left.join('; ')}`))
  }
})
