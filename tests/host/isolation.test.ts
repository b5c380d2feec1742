/** Guests reach whom they may, and a forged address is not heard. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layout } from '../../src/cli/up/settings.ts'
import { untilActive } from '../../src/cli/verify/checks.ts'
import { cannotRunGuests, run, startRealCloud, type TestCloud, until } from './cloud.ts'

const skip = cannotRunGuests()

interface Guest {
  id: string
  address: string
}

async function boot(cloud: TestCloud, name: string, group: string): Promise<Guest> {
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
    key_name: 'kilonova',
    security_groups: [{ name: group }],
  }
  const { server } = await cloud.admin.call<{ server: { id: string } }>('compute', 'POST', '/v2.1/servers', {
    server: body,
  })
  const active = await untilActive(cloud.admin, server.id)
  return { id: server.id, address: Object.values(active.addresses).flat()[0]?.addr ?? '' }
}

/** Runs a command in a guest; undefined while ssh does not answer. */
async function inGuest(
  cloud: TestCloud,
  guest: Guest,
  command: string,
): Promise<{ code: number; stdout: string }> {
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
    'ConnectTimeout=5',
    // A guest that loses its address while a command runs must not hold the test up.
    'ServerAliveInterval=5',
    'ServerAliveCountMax=6',
  ]
  const args = [...options.flatMap((option) => ['-o', option]), '-i', layout(cloud.stateDir).privateKey]
  return until(`ssh to ${guest.address}`, 90, async () => {
    const outcome = await run('ssh', [...args, `root@${guest.address}`, command])
    return outcome.code === 255 ? undefined : outcome
  })
}

async function createGroup(cloud: TestCloud, name: string): Promise<string> {
  const reply = await cloud.admin.call<{ security_group: { id: string } }>(
    'network',
    'POST',
    '/v2.0/security-groups',
    {
      security_group: { name },
    },
  )
  return reply.security_group.id
}

test('guests reach each other, a group without rules blocks, and forged addresses are not heard', {
  skip,
}, async (t) => {
  await using cloud = await startRealCloud()
  await createGroup(cloud, 'closed')
  const [first, second, closed] = await Promise.all([
    boot(cloud, 'first', 'default'),
    boot(cloud, 'second', 'default'),
    boot(cloud, 'closed', 'closed'),
  ])
  const pings = async (from: Guest, target: string, extra = '') =>
    (await inGuest(cloud, from, `ping -c 2 -W 2 ${extra} ${target}`)).code === 0

  await t.test('two servers reach each other', async () => {
    await until('the second guest answers', 60, () => pings(first, second.address))
  })

  await t.test('a group without ingress rules blocks', async () => {
    await until('the closed guest has booted', 60, async () => {
      const path = `/v2.1/servers/${closed.id}/action`
      const { output } = await cloud.admin.call<{ output: string }>('compute', 'POST', path, {
        'os-getConsoleOutput': {},
      })
      return output.includes('KILONOVA-GUEST-READY')
    })
    assert.equal(await pings(first, closed.address), false)
  })

  await t.test('a forged IP address is not heard', async () => {
    // Addresses are given at random: the forged one must be nobody's, the guest's own above all.
    const taken = new Set([first.address, second.address, closed.address])
    const forged = ['251', '252', '253', '254']
      .map((last) => first.address.replace(/\d+$/, last))
      .find((address) => !taken.has(address))
    const script = `ip addr add ${forged}/24 dev eth0 && ping -c 2 -W 2 -I ${forged} ${second.address}; c=$?; ip addr del ${forged}/24 dev eth0; exit $c`
    assert.notEqual((await inGuest(cloud, first, script)).code, 0)
    assert.equal(await pings(first, second.address), true)
  })

  await t.test('a forged MAC address is not heard', async () => {
    const script = [
      'mac=$(cat /sys/class/net/eth0/address); gw=$(ip route | sed -n "s/^default via \\([^ ]*\\).*/\\1/p")',
      'ip link set eth0 down; ip link set eth0 address 02:00:5e:00:53:01; ip link set eth0 up',
      `sleep 1; if ping -c 3 -W 2 ${second.address} >/dev/null; then echo heard; else echo silent; fi > /tmp/forged`,
      'ip link set eth0 down; ip link set eth0 address $mac; ip link set eth0 up; ip route replace default via $gw',
    ].join('; ')
    await inGuest(
      cloud,
      first,
      `echo '${script}' > /tmp/forge.sh; (sh /tmp/forge.sh </dev/null >/dev/null 2>&1 &)`,
    )
    const verdict = await until('the verdict', 60, async () => {
      const { stdout } = await inGuest(cloud, first, 'cat /tmp/forged 2>/dev/null')
      return stdout.trim() === '' ? undefined : stdout.trim()
    })
    assert.equal(verdict, 'silent')
    await until('the true address is heard again', 30, () => pings(first, second.address))
  })
})
