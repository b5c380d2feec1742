import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newRequestId } from '../../../base/ids.ts'
import {
  assertRunsTwice,
  assertSurvivesCrashes,
  assertUnwinds,
  type FlowWorld,
} from '../../../testing/assert-unwinds.ts'
import type { ApiTables } from '../../store/api-tables.ts'
import { insertBuildRequest } from '../../store/build-requests.ts'
import { insertInstanceMapping } from '../../store/instance-mappings.ts'
import { insertRequestSpec } from '../../store/request-specs.ts'
import type { ConductorDeps } from '../deps.ts'
import { computeWorld, newBuild } from '../world.ts'
import { createServer } from './create-server.ts'
import { deleteServer } from './delete-server.ts'

/** A server that was asked for, its flow not yet opened. */
async function askedFor(): Promise<FlowWorld<ApiTables, ConductorDeps>> {
  const world = await computeWorld()
  const { apiDb } = world
  const { instance, spec } = newBuild({}, world.network.networkId)
  const { uuid } = instance.row
  await insertInstanceMapping(apiDb, {
    instanceUuid: uuid,
    projectId: 'project',
    userId: 'user',
    vcpus: 1,
    memoryMb: 512,
  })
  await insertRequestSpec(apiDb, spec)
  await insertBuildRequest(apiDb, instance)
  return {
    db: apiDb,
    deps: world.conductor.deps,
    subject: `server:${uuid}`,
    input: { uuid, requestId: newRequestId() },
    async assertUnwound() {
      const server = await world.show(uuid)
      assert.deepEqual([server.vm_state, server.task_state, server.host], ['error', null, null])
      assert.match(server.fault!.message, /made to fail/)
      assert.deepEqual(await world.leftovers(uuid), [])
    },
    async assertDone() {
      const server = await world.show(uuid)
      assert.deepEqual([server.vm_state, server.task_state], ['active', null])
      assert.equal(world.network.ports.size, 1)
      const guests = await Promise.all([...world.drivers.values()].map((driver) => driver.listGuests()))
      assert.equal(guests.flat().length, 1)
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

test('a create that fails after any step leaves nothing but an ERROR with its reason', () =>
  assertUnwinds(createServer, askedFor))

test('every step of a create may run twice', () => assertRunsTwice(createServer, askedFor))

test('a create survives a crash after any step, and makes nothing twice', () =>
  assertSurvivesCrashes(createServer, askedFor))

test('a delete survives a crash after any step', () =>
  assertSurvivesCrashes(deleteServer, async () => {
    const world = await computeWorld()
    const uuid = await world.create()
    return {
      db: world.apiDb,
      deps: world.conductor.deps,
      subject: `server:${uuid}`,
      input: { uuid, requestId: newRequestId() },
      assertUnwound: () => undefined,
      async assertDone() {
        assert.equal(await world.find(uuid), undefined)
        assert.deepEqual(await world.leftovers(uuid), [])
      },
      [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
    }
  }))
