/** What the walk-through never reached: two servers, one per compute host, that reach each other and their metadata. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import { until } from '../cloud.ts'

interface Guest {
  name: string
  host: string
  address: string
  /** Address of the other. */
  peer: string
}

const guests: readonly Guest[] = [
  { name: 'first', host: 'compute1', address: '203.0.113.151', peer: '203.0.113.152' },
  { name: 'second', host: 'compute2', address: '203.0.113.152', peer: '203.0.113.151' },
]

/** Runs in the guest at its first start; what it says is on the console. */
const userData = ({ peer }: Guest) => `#!/bin/sh
for try in $(seq 90); do
  if ping -c 1 -W 1 ${peer} > /dev/null; then echo "walkthrough: ${peer} answers"; break; fi
  sleep 1
done
echo "walkthrough: I am $(wget -q -O - http://169.254.169.254/latest/meta-data/hostname)"
`

/** The unmodified client on the controller, logged in as the administrator. */
export async function openstack(lab: Lab, ...args: string[]): Promise<string> {
  const script = '. ./admin-openrc; exec openstack "$@"'
  return await lab.run('controller', ['bash', '-c', script, 'bash', ...args], { timeoutSeconds: 240 })
}

interface ShownServer {
  id: string
  status: string
  'OS-EXT-SRV-ATTR:host': string
}

export async function bootServers(lab: Lab): Promise<void> {
  const { id: network } = JSON.parse(await openstack(lab, 'network', 'show', 'provider', '-f', 'json'))
  await Promise.all(guests.map((guest) => bootServer(lab, guest, network)))
  await Promise.all(
    guests.map(async (guest) => {
      const log = await until(`${guest.name} has booted`, 150, async () => {
        const text = await openstack(lab, 'console', 'log', 'show', guest.name)
        return text.includes('KILONOVA-GUEST-READY') ? text : undefined
      })
      assert.match(log, new RegExp(`walkthrough: ${guest.peer.replaceAll('.', '\\.')} answers`))
      assert.match(log, new RegExp(`walkthrough: I am ${guest.name}`))
      assert.match(log, new RegExp(`KILONOVA-GUEST-READY ip=${guest.address} .*metadata=http`))
    }),
  )
}

/** By the processes of each host, while both servers run. */
export async function nothingIsRoot(lab: Lab): Promise<void> {
  const programs = /(nova-compute|neutron-[\w-]+-agent|dnsmasq|haproxy)( |$)/
  const found = new Set<string>()
  for (const { name } of lab.plan.hosts) {
    const rows = await lab.run(name, ['ps', '-eo', 'user:20=,args='])
    for (const row of rows.split('\n')) {
      // What stands at the beginning: the command of the lab's supervisor has the program's name in it, too.
      const [, user, command = ''] =
        /^(\S+) +(?:\S+\/node (?:-\S+ )*\S+\/main\.ts |\S+\/)(\S+)/.exec(row) ?? []
      if (programs.test(command)) found.add(`${command} ${user}`)
    }
  }
  assert.deepEqual([...found].sort(), [
    'dnsmasq neutron',
    'haproxy neutron',
    'neutron-dhcp-agent neutron',
    'neutron-linuxbridge-agent neutron',
    'neutron-metadata-agent neutron',
    'nova-compute nova',
  ])
}

async function bootServer(lab: Lab, guest: Guest, network: string): Promise<void> {
  writeFileSync(lab.path('controller', `/root/${guest.name}.sh`), userData(guest))
  const shown = await openstack(
    lab,
    'server',
    'create',
    guest.name,
    ...['--image', 'cirros', '--flavor', 'm1.nano', '--key-name', 'mykey'],
    ...['--nic', `net-id=${network},v4-fixed-ip=${guest.address}`],
    ...['--availability-zone', `nova:${guest.host}`, '--user-data', `${guest.name}.sh`],
    ...['--wait', '-f', 'json'],
  )
  // The client ends with status 0 also when the server is in ERROR, and says so in place of the table.
  if (!shown.trim().startsWith('{')) {
    assert.fail(`${shown.trim()}: ${await openstack(lab, 'server', 'show', guest.name)}`)
  }
  const server: ShownServer = JSON.parse(shown)
  assert.equal(server.status, 'ACTIVE')
  assert.equal(server['OS-EXT-SRV-ATTR:host'], guest.host)
}

/** Deletes them, and looks that their hosts have no guest and no tap any more. */
export async function deleteServers(lab: Lab): Promise<void> {
  await openstack(lab, 'server', 'delete', '--wait', ...guests.map(({ name }) => name))
  for (const { host } of guests) {
    await until(`${host} has no guest`, 30, async () => {
      const processes = await lab.run(host, ['ps', '-e', '-o', 'comm='])
      const links = await lab.run(host, ['ip', '-brief', 'link', 'show'])
      return !/qemu/.test(processes) && !/^tap/m.test(links)
    })
  }
}
