/** A server's life in a cell, by the unmodified `openstack` client. */
import assert from 'node:assert/strict'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import type { Person } from '../../../src/testing/cloud-people.ts'
import { ok } from '../../../src/testing/first-things.ts'
import { until } from '../cloud.ts'
import { compute, controller } from './programs.ts'
import { askPlacement } from './ready.ts'

interface ShownServer {
  id: string
  status: string
  addresses: Record<string, string[]>
  fault?: { message: string }
}

async function openstack(lab: Lab, ...args: string[]): Promise<string> {
  const script = '. ./admin-openrc; exec openstack "$@"'
  return await lab.run(controller, ['bash', '-c', script, 'bash', ...args], { timeoutSeconds: 300 })
}

const show = async (lab: Lab): Promise<ShownServer> =>
  JSON.parse(await openstack(lab, 'server', 'show', 'swap', '-f', 'json'))

/** ACTIVE, with an address of the provider network, which is the address of its port. Gives its id. */
export async function bootServer(lab: Lab, admin: Person): Promise<string> {
  const wish = ['--image', 'kilonova', '--flavor', 'm1.nano', '--network', 'provider']
  await openstack(lab, 'server', 'create', 'swap', ...wish, '--key-name', 'kilonova', '--wait')
  const server = await show(lab)
  assert.equal(server.status, 'ACTIVE', `the server is ${server.status}: ${server.fault?.message ?? ''}`)
  const addresses = server.addresses['provider'] ?? []
  assert.match(addresses.join(), /^203\.0\.113\.\d+$/)
  const { ports } = ok(await admin.network('GET', `/ports?device_id=${server.id}`))
  assert.deepEqual(
    ports.map((port: { fixed_ips: { ip_address: string }[] }) => port.fixed_ips[0]?.ip_address),
    addresses,
  )
  return server.id
}

/** A real guest: it has that address by DHCP, and itself says who it is by the metadata service. */
export async function untilGuestSpeaks(lab: Lab): Promise<void> {
  const [address] = (await show(lab)).addresses['provider'] ?? []
  const said = await until('the guest to have booted', 120, async () => {
    const text = await openstack(lab, 'console', 'log', 'show', 'swap')
    return text.includes('KILONOVA-GUEST-READY') ? text : undefined
  })
  const line = /KILONOVA-GUEST-READY.*/.exec(said)?.[0] ?? ''
  assert.ok(line.includes(`ip=${address} `) && line.includes('metadata=http'), line)
}

export async function deleteServer(lab: Lab): Promise<void> {
  await openstack(lab, 'server', 'delete', 'swap', '--wait')
}

/** Waits until placement and network hold nothing of servers any more, and the compute host has no guest's tap. */
export async function untilNothingIsLeft(lab: Lab, admin: Person): Promise<void> {
  let left: string[] = []
  await until('nothing is left', 30, async () => {
    left = [...(await leftovers(admin)), ...(await tapsOf(lab))]
    return left.length === 0
  }).catch(() => assert.deepEqual(left, []))
}

async function tapsOf(lab: Lab): Promise<string[]> {
  const links = await lab.run(compute, ['ip', '-brief', 'link', 'show'])
  return [...links.matchAll(/^tap[^\s@]+/gm)].map(([name]) => `${name} on ${compute}`)
}

async function leftovers(admin: Person): Promise<string[]> {
  const left: string[] = []
  const { ports } = ok(await admin.network('GET', '/ports'))
  for (const { id, device_owner: owner } of ports) if (owner.startsWith('compute:')) left.push(`port ${id}`)
  const { resource_providers: providers } = ok(await askPlacement(admin, '/resource_providers'))
  for (const { uuid } of providers) {
    const { allocations } = ok(await askPlacement(admin, `/resource_providers/${uuid}/allocations`))
    left.push(...Object.keys(allocations).map((consumer) => `allocations of ${consumer}`))
  }
  return left
}
