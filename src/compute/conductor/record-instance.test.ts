/** An instance is recorded in two databases; what becomes of one that is in the first alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../base/errors.ts'
import type { ErasedFlow } from '../../base/flow/flow.ts'
import { createFlowRunner } from '../../base/flow/runner.ts'
import { silentLogger } from '../../base/log.ts'
import { requestBuilds, requestDelete } from '../rpc/request-work.ts'
import { listActions } from '../store/actions.ts'
import { findBuildRequest, insertBuildRequest, updateBuildRequest } from '../store/build-requests.ts'
import { insertInstance } from '../store/instances.ts'
import type { ConductorDeps } from './deps.ts'
import { createServer } from './flows/create-server.ts'
import { deleteServer } from './flows/delete-server.ts'
import { enterCell } from './record-instance.ts'
import { type ComputeWorld, computeWorld, newBuild } from './world.ts'

/** The API's database is lost after the cell's took the record. */
function losingTheSecondHalf(
  meanwhile: (uuid: string) => Promise<void>,
): (flow: ErasedFlow<ConductorDeps>) => ErasedFlow<ConductorDeps> {
  return (flow) => ({
    ...flow,
    steps: flow.steps.map((step) => {
      if (step.name !== 'record the instance') return step
      const run: typeof step.run = async (values, deps, context) => {
        const { uuid } = values as unknown as { uuid: string }
        const made = await findBuildRequest(deps.apiDb, uuid)
        await step.run(values, deps, context)
        await insertBuildRequest(deps.apiDb, made!)
        const mapping = deps.apiDb.updateTable('instance_mappings').set({ cell_id: null })
        await mapping.where('instance_uuid', '=', uuid).execute()
        await meanwhile(uuid)
        throw new Fault('unavailable', 'The connection to the database was lost.')
      }
      return { ...step, retries: 0, run }
    }),
  })
}

const recordsOf = async (world: ComputeWorld, uuid: string) => {
  const { db } = world.cells.withHosts()[0]!
  const instances = await db.selectFrom('instances').select('id').where('uuid', '=', uuid).execute()
  return [...instances, ...(await listActions(db, uuid))]
}

test('an instance that could be recorded by half is in ERROR, with its reason, and nowhere twice', async () => {
  await using world = await computeWorld({ changeFlow: losingTheSecondHalf(async () => undefined) })
  const uuid = await world.create()
  const server = await world.show(uuid)
  assert.deepEqual([server.vm_state, server.task_state], ['error', null])
  assert.match(server.fault!.message, /was lost/)
  assert.deepEqual(await recordsOf(world, uuid), [])
  assert.deepEqual(await world.leftovers(uuid), [])
})

test('one that is deleted just then leaves no trace', async () => {
  const recorded = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const changeFlow = losingTheSecondHalf(async () => {
    recorded.resolve()
    await asked.promise
  })
  await using world = await computeWorld({ changeFlow })
  const uuid = await world.ask()
  await recorded.promise
  const removed = world.remove(uuid)
  while (!(await isCancelled(world, uuid))) await new Promise(setImmediate)
  asked.resolve()
  await removed
  assert.equal(await world.find(uuid), undefined)
  assert.deepEqual(await recordsOf(world, uuid), [])
  assert.deepEqual(await world.leftovers(uuid), [])
})

async function isCancelled({ apiDb }: ComputeWorld, uuid: string) {
  const flows = await apiDb
    .selectFrom('flows')
    .select('state')
    .where('subject', '=', `server:${uuid}`)
    .execute()
  return flows.some(({ state }) => state === 'undoing')
}

/** A server that a conductor has recorded in its cell alone when it dies. */
async function recordedByADyingConductor(world: ComputeWorld): Promise<string> {
  const build = newBuild({}, world.network.networkId)
  const { uuid } = build.instance.row
  await requestBuilds({ ...world.work, conductor: nobody(world) }, [build], requester)
  const died = Promise.withResolvers<void>()
  const dying: ErasedFlow<ConductorDeps> = {
    ...createServer,
    steps: createServer.steps.map((step) => {
      if (step.name !== 'record the instance') return step
      const run: typeof step.run = async () => {
        await insertInstance(world.cells.withHosts()[0]!.db, build.instance, { task_state: 'networking' })
        died.resolve()
        await new Promise(() => undefined)
      }
      return { ...step, run }
    }),
  }
  runnerOf(world, [dying], 'host:1').wake(`server:${uuid}`)
  await died.promise
  return uuid
}

const requester = { requestId: 'req-1', userId: 'user', projectId: 'project' }
/** Nobody is woken: the test is the conductor. */
const nobody = ({ work }: ComputeWorld) => ({
  ...work.conductor,
  wake: async () => undefined,
  cancelled: async () => undefined,
})

const runnerOf = (world: ComputeWorld, flows: ErasedFlow<ConductorDeps>[], owner: string) =>
  createFlowRunner({
    db: world.apiDb,
    flows,
    deps: world.conductor.deps,
    owner,
    log: silentLogger,
    isDead: (other) => other.startsWith('host:1'),
  })

test('what a conductor that died had recorded by half is made whole, or goes when the server is deleted', async () => {
  for (const isDeleted of [false, true]) {
    await using world = await computeWorld()
    const uuid = await recordedByADyingConductor(world)
    if (isDeleted)
      await requestDelete({ ...world.work, conductor: nobody(world) }, await world.show(uuid), requester)
    await using next = runnerOf(world, [createServer, deleteServer], 'host:2')
    await next.start()
    await next.runToEnd(`server:${uuid}`)
    const server = await world.find(uuid)
    assert.equal(server?.vm_state, isDeleted ? undefined : 'active')
    assert.equal((await recordsOf(world, uuid)).length, isDeleted ? 0 : 2)
    if (isDeleted) assert.deepEqual(await world.leftovers(uuid), [])
  }
})

test('a name that is given while the record moves into its cell is the name there', async () => {
  await using world = await computeWorld()
  const build = newBuild({ name: 'old' }, world.network.networkId)
  const { uuid } = build.instance.row
  await requestBuilds({ ...world.work, conductor: nobody(world) }, [build], requester)
  const made = (await findBuildRequest(world.apiDb, uuid))!
  const cell = world.cells.withHosts()[0]!
  await insertInstance(cell.db, made, { task_state: 'networking' })
  const renamed = { ...made, row: { ...made.row, display_name: 'new', display_description: 'told' } }
  assert.ok(await updateBuildRequest(world.apiDb, renamed))
  await enterCell(world.apiDb, cell, made)
  const { display_name, display_description, task_state } = await world.show(uuid)
  assert.deepEqual([display_name, display_description, task_state], ['new', 'told', 'networking'])
  assert.equal(await findBuildRequest(world.apiDb, uuid), undefined)
})
