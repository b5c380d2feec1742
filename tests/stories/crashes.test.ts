/** A cloud that ends in the middle of its work, at each step in turn, and is started again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErasedFlow } from '../../src/base/flow/flow.ts'
import type { ConductorDeps } from '../../src/compute/conductor/deps.ts'
import { createServer } from '../../src/compute/conductor/flows/create-server.ts'
import { deleteServer } from '../../src/compute/conductor/flows/delete-server.ts'
import { haltAfter } from '../../src/testing/break-flow.ts'
import { ok } from '../../src/testing/first-things.ts'
import { until } from '../../src/testing/until.ts'
import { startWorld, type World } from '../../src/testing/world.ts'

type Flow = ErasedFlow<ConductorDeps>

/** Starts the cloud again so that flows of the kind stop after a step; `halted` resolves when one has. */
async function restartToHalt(world: World, kind: string, index: number): Promise<{ halted: Promise<void> }> {
  const { promise: halted, resolve } = Promise.withResolvers<void>()
  const changeFlow = (flow: Flow) => (flow.kind === kind ? haltAfter(flow, index, resolve) : flow)
  await world.restart({ compute: { changeFlow } })
  return { halted }
}

async function assertGone(world: World, id: string, when: string): Promise<void> {
  const { compute } = world.as('alice')
  const isGone = async () => ((await compute('GET', `/servers/${id}`)).status === 404 ? true : undefined)
  await until(isGone, `the server cut short ${when} to go`)
  assert.deepEqual(await world.leftovers(id), [], when)
}

test('a create that is cut short after any step is finished by the next start, and makes nothing twice', async () => {
  await using world = await startWorld({ kept: true })
  const { compute } = world.as('alice')
  const networks = [{ uuid: world.networkId }]
  const server = { name: 'cut', imageRef: world.imageId, flavorRef: '1', networks }
  for (const [index, { name }] of createServer.steps.entries()) {
    const when = `after ${name}`
    const { halted } = await restartToHalt(world, createServer.kind, index)
    const { id } = ok(await compute('POST', '/servers', { server })).server
    await halted
    await world.restart()
    const { status, fault, addresses } = await world.settled('alice', id)
    assert.equal(status, 'ACTIVE', `${when}: ${fault?.message}`)
    assert.equal(addresses['private']?.length, 1, when)
    const guests = await Promise.all(world.hosts.map(({ driver }) => driver.guestState(id)))
    assert.equal(guests.filter((guest) => guest?.power === 'running').length, 1, when)
    const { ports } = ok(await world.as('admin').network('GET', `/ports?device_id=${id}`))
    assert.equal(ports.length, 1, when)
    await world.remove('alice', id)
    assert.deepEqual(await world.leftovers(id), [], when)
  }
})

test('a server whose create was cut short is deleted before anything else is done to it', async () => {
  await using world = await startWorld({ kept: true })
  const { compute } = world.as('alice')
  const networks = [{ uuid: world.networkId }]
  const server = { name: 'cut', imageRef: world.imageId, flavorRef: '1', networks }
  for (const [index, { name }] of createServer.steps.entries()) {
    const { halted } = await restartToHalt(world, createServer.kind, index)
    const { id } = ok(await compute('POST', '/servers', { server })).server
    await halted
    assert.equal((await compute('DELETE', `/servers/${id}`)).status, 204)
    await world.restart()
    await assertGone(world, id, `after ${name}`)
  }
})

test('a delete that is cut short after any step is finished by the next start', async () => {
  await using world = await startWorld({ kept: true })
  const { compute } = world.as('alice')
  for (const [index, { name }] of deleteServer.steps.entries()) {
    const { id } = await world.boot('alice')
    const { halted } = await restartToHalt(world, deleteServer.kind, index)
    assert.equal((await compute('DELETE', `/servers/${id}`)).status, 204)
    await halted
    await world.restart()
    await assertGone(world, id, `after ${name}`)
  }
})

test('servers and all that belongs to them are the same after a restart', async () => {
  await using world = await startWorld({ kept: true })
  const { id } = await world.boot('alice')
  const dump = async () => [
    await world.settled('alice', id),
    // The port of the network's DHCP server is down for a moment: on a simulated host its device ends with the program.
    (await world.as('alice').network('GET', `/ports?device_id=${id}`)).body,
    (await world.as('alice').image('GET', '/images')).body,
    (await world.as('admin').placement('GET', `/allocations/${id}`)).body,
    (await world.as('admin').identity('GET', '/users')).body,
  ]
  const before = await dump()
  await world.restart()
  assert.deepEqual(await dump(), before)
  await world.remove('alice', id)
  assert.deepEqual(await world.leftovers(id), [])
})
