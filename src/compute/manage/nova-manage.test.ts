import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timestamp } from '../../base/clock.ts'
import { newUuid } from '../../base/ids.ts'
import { silentLogger } from '../../base/log.ts'
import { discoverHosts } from '../scheduler/discover-hosts.ts'
import { cell0Uuid } from '../store/cell-dbs.ts'
import { listHostMappings, saveHostMapping } from '../store/cells.ts'
import { saveComputeNode } from '../store/compute-nodes.ts'
import { insertInstanceMapping, setInstanceCell, setQueuedForDelete } from '../store/instance-mappings.ts'
import { reportServices } from '../store/services.ts'
import { cell0Url } from './cells.ts'
import { type ManageWorld, manageWorld } from './world.ts'

/** The order of the installation guides, up to a cell without hosts; gives the uuid of cell1. */
async function setUp(world: ManageWorld): Promise<string> {
  for (const line of ['api_db sync', 'cell_v2 map_cell0']) {
    assert.deepEqual(await world.run(line), { code: 0, output: '' })
  }
  const made = await world.run('cell_v2 create_cell --name=cell1 --verbose')
  assert.equal(made.code, 0)
  assert.deepEqual(await world.run('db sync'), { code: 0, output: '' })
  return made.output.split('\n').at(-1)!
}

async function addHost(world: ManageWorld, host: string): Promise<string> {
  const db = world.deps.cellDb(world.deps.settings.database!)
  await reportServices(db, 'nova-compute', 'compute', [host])
  return await saveComputeNode(db, {
    host,
    host_ip: '192.0.2.1',
    hypervisor_hostname: host,
    hypervisor_type: 'fake',
    hypervisor_version: 1,
    cpu_info: '{}',
    vcpus: 4,
    memory_mb: 4096,
    local_gb: 40,
    vcpus_used: 0,
    memory_mb_used: 0,
    local_gb_used: 0,
    running_vms: 0,
    cpu_allocation_ratio: 4,
    ram_allocation_ratio: 1,
    disk_allocation_ratio: 1,
    disk_available_least: 40,
  })
}

async function addInstance(world: ManageWorld, options: { deleted?: boolean; host?: string } = {}) {
  const uuid = newUuid()
  const now = timestamp()
  const db = world.deps.cellDb(world.deps.settings.database!)
  const { insertId } = await db
    .insertInto('instances')
    .values({
      uuid,
      user_id: 'user',
      project_id: 'project',
      image_ref: '',
      launch_index: 0,
      power_state: 1,
      vm_state: 'active',
      memory_mb: 512,
      vcpus: 1,
      root_gb: 1,
      ephemeral_gb: 0,
      hostname: 'one',
      host: options.host ?? null,
      reservation_id: 'r-1',
      display_name: 'one',
      locked: 0,
      config_drive: '',
      progress: 0,
      auto_disk_config: 0,
      created_at: now,
      deleted: 0,
    })
    .executeTakeFirstOrThrow()
  if (options.deleted === true) {
    const changes = { deleted: Number(insertId), deleted_at: now }
    await db.updateTable('instances').set(changes).where('uuid', '=', uuid).execute()
  }
  const flavor = { vcpus: 1, memory_mb: 512, root_gb: 1, ephemeral_gb: 0, swap: 0, extra_specs: {} }
  const extra = { instance_uuid: uuid, flavor: JSON.stringify(flavor), keypairs: '[]', trusted_certs: null }
  await db.insertInto('instance_extra').values(extra).execute()
  return uuid
}

test('the commands of the installation guides, in their order and again', async () => {
  await using world = manageWorld()
  assert.deepEqual(await world.run('api_db version'), { code: 0, output: 'None' })
  const cell1 = await setUp(world)
  assert.deepEqual(await world.run('api_db sync'), { code: 0, output: '' })
  assert.match((await world.run('api_db version')).output, /^\S+$/)
  assert.deepEqual(await world.run('cell_v2 map_cell0'), { code: 0, output: 'Cell0 is already setup' })
  const again = await world.run('cell_v2 create_cell --name=cell1 --verbose')
  assert.equal(again.code, 2)
  assert.match(again.output, new RegExp(`already exists for another cell with uuid ${cell1}\\.$`))
  const list = await world.run('cell_v2 list_cells')
  assert.match(list.output, /^\+-{7}\+-{38}\+/)
  assert.match(list.output, new RegExp(`\\| cell0 \\| ${cell0Uuid} \\|`))
  assert.match(list.output, /rabbit:\/\/openstack:\*\*\*\*@controller/)
  assert.match((await world.run('cell_v2 list_cells --verbose')).output, /openstack:secret@/)
  const check = await world.run('upgrade check')
  assert.match(check.output, /Check: Cells v2 +\|\n\| Result: Success/)
  assert.match(check.output, /Check: Placement API +\|\n\| Result: Failure/)
  assert.equal(check.code, 2)
})

test('hosts are discovered, listed and deleted', async () => {
  await using world = manageWorld()
  const cell1 = await setUp(world)
  assert.equal((await world.run('cell_v2 discover_hosts --strict')).code, 1)
  const node = await addHost(world, 'compute')
  const found = await world.run('cell_v2 discover_hosts --verbose')
  assert.deepEqual(found.output.split('\n'), [
    'Found 2 cell mappings.',
    'Skipping cell0 since it does not contain hosts.',
    `Getting computes from cell 'cell1': ${cell1}`,
    `Checking host mapping for compute host 'compute': ${node}`,
    `Creating host mapping for compute host 'compute': ${node}`,
    `Found 1 unmapped computes in cell: ${cell1}`,
  ])
  assert.match((await world.run('cell_v2 list_hosts')).output, new RegExp(`cell1 +\\| ${cell1} \\| compute`))
  await addInstance(world, { host: 'compute' })
  const host = `cell_v2 delete_host --cell_uuid ${cell1} --host`
  assert.equal((await world.run(`${host} compute`)).code, 4)
  assert.equal((await world.run(`${host} nobody`)).code, 2)
  await saveHostMapping(world.deps.apiDb(), 'empty', 2)
  assert.equal((await world.run(`${host} empty`)).code, 0)
  assert.equal((await world.run(`cell_v2 delete_cell --cell_uuid ${cell1}`)).code, 2)
})

test('the scheduler finds the same hosts by itself, in all cells but those that are away', async () => {
  await using world = manageWorld()
  await setUp(world)
  await addHost(world, 'compute')
  const apiDb = world.deps.apiDb()
  const cell = (id: number, url: string) => ({
    id,
    uuid: `${id}`,
    name: `cell-${id}`,
    db: world.deps.cellDb(url),
  })
  const away = cell(7, `sqlite:///${world.directory}/nowhere/nova`)
  const here = cell(2, world.deps.settings.database!)
  const look = (cells: (typeof here)[]) =>
    discoverHosts({ apiDb, cells: () => cells, everySeconds: 300, log: silentLogger }).run()
  await assert.rejects(look([away, here]), /cell-7/)
  assert.deepEqual([...(await listHostMappings(apiDb))], [['compute', 2]])
  await addHost(world, 'late')
  await look([here])
  assert.deepEqual(
    [...(await listHostMappings(apiDb))],
    [
      ['compute', 2],
      ['late', 2],
    ],
  )
})

test('a cell is renamed, disabled and deleted, and each refusal has its exit code', async () => {
  await using world = manageWorld()
  const cell1 = await setUp(world)
  const update = `cell_v2 update_cell --cell_uuid ${cell1}`
  assert.equal((await world.run(`${update} --name one --disable`)).code, 0)
  assert.match((await world.run('cell_v2 list_cells')).output, /\| {2}one {2}\|.*\| {3}True {3}\|/)
  assert.equal((await world.run(`${update} --enable --disable`)).code, 4)
  assert.equal((await world.run(`cell_v2 update_cell --cell_uuid ${cell0Uuid} --disable`)).code, 5)
  assert.equal((await world.run('cell_v2 update_cell --cell_uuid no')).code, 1)
  const uuid = await addInstance(world)
  const mapping = { instanceUuid: uuid, projectId: 'project', userId: 'user', vcpus: 1, memoryMb: 1 }
  await insertInstanceMapping(world.deps.apiDb(), mapping)
  await setInstanceCell(world.deps.apiDb(), uuid, 2)
  const remove = `cell_v2 delete_cell --cell_uuid ${cell1}`
  assert.equal((await world.run(remove)).code, 3)
  await setQueuedForDelete(world.deps.apiDb(), uuid, true)
  assert.equal((await world.run(remove)).code, 4)
  assert.equal((await world.run(`${remove} --force`)).code, 0)
  assert.equal((await world.run(remove)).code, 1)
})

test('instances are mapped and verified', async () => {
  await using world = manageWorld()
  const cell1 = await setUp(world)
  const uuids = [await addInstance(world), await addInstance(world), await addInstance(world)]
  const verify = `cell_v2 verify_instance --uuid ${uuids[2]}`
  assert.equal((await world.run(verify)).code, 1)
  const map = `cell_v2 map_instances --cell_uuid ${cell1}`
  assert.equal((await world.run(`${map} --max-count 0`)).code, 127)
  assert.equal((await world.run(`${map} --max-count 2`)).code, 1)
  assert.equal((await world.run(verify)).code, 1)
  assert.equal((await world.run(map)).code, 0)
  assert.match((await world.run(verify)).output, /is in cell: cell1/)
})

test('deleted instances are archived with all that is theirs, and purged', async () => {
  await using world = manageWorld()
  await setUp(world)
  const gone = await addInstance(world, { deleted: true })
  const kept = await addInstance(world)
  const mapping = { instanceUuid: gone, projectId: 'project', userId: 'user', vcpus: 1, memoryMb: 1 }
  await insertInstanceMapping(world.deps.apiDb(), mapping)
  assert.equal((await world.run('db purge --all')).code, 3)
  assert.equal((await world.run('db archive_deleted_rows --before 2001-01-01')).code, 0)
  const archived = await world.run('db archive_deleted_rows --verbose')
  assert.equal(archived.code, 1)
  assert.match(archived.output, /\| instances +\| 1 +\|/)
  assert.match(archived.output, /\| instance_extra +\| 1 +\|/)
  assert.match(archived.output, /\| instance_mappings +\| 1 +\|/)
  assert.deepEqual(await world.run('db archive_deleted_rows --verbose'), {
    code: 0,
    output: 'Nothing was archived.',
  })
  const db = world.deps.cellDb(world.deps.settings.database!)
  const left = await db.selectFrom('instances').select('uuid').execute()
  assert.deepEqual(
    left.map((row) => row.uuid),
    [kept],
  )
  assert.equal((await world.run('db purge')).code, 1)
  assert.equal((await world.run('db purge --before 2001-01-01')).code, 3)
  assert.equal((await world.run('db purge --all')).code, 0)
  assert.equal((await world.run('db purge --all')).code, 3)
})

test('allocations that are missing are made, and those of nobody are found', async () => {
  const claims: unknown[] = []
  const orphan = newUuid()
  const nothing = {
    allocations: {},
    consumerGeneration: null,
    projectId: null,
    userId: null,
    consumerType: null,
  }
  await using world = manageWorld(
    {},
    {
      getAllocations: async () => nothing,
      claim: async (...claim) => {
        claims.push(claim)
        return { outcome: 'claimed' }
      },
      listProviders: async () => [
        { uuid: 'p', name: 'compute', generation: 0, parentUuid: null, rootUuid: 'p' },
      ],
      getProviderAllocations: async () => ({ [orphan]: { resources: { VCPU: 1 } } }),
      deleteAllocations: async () => true,
    },
  )
  await setUp(world)
  const node = await addHost(world, 'compute')
  const uuid = await addInstance(world, { host: 'compute' })
  assert.equal((await world.run('placement heal_allocations --dry-run')).code, 4)
  assert.equal((await world.run('placement heal_allocations')).code, 0)
  const allocations = { [node]: { resources: { VCPU: 1, MEMORY_MB: 512, DISK_GB: 1 } } }
  assert.deepEqual(claims, [[uuid, { allocations }, 'project', 'user', { consumerGeneration: null }]])
  const audit = await world.run('placement audit --verbose')
  assert.equal(audit.code, 3)
  assert.match(audit.output, new RegExp(orphan))
  assert.equal((await world.run('placement audit --delete')).code, 4)
})

test('a missing setting is told with its section, and a wrong command line is 2', async () => {
  await using world = manageWorld({ database: null })
  assert.equal((await world.run('api_db sync')).code, 0)
  assert.equal((await world.run('cell_v2 map_cell0')).code, 1)
  assert.equal((await world.run('cell_v2 create_cell')).code, 1)
  assert.equal((await world.run('cell_v2 delete_cell')).code, 2)
  assert.equal((await world.run('cell_v2 no_such_thing')).code, 2)
})

test("cell0's database stands beside the cell's", () => {
  assert.equal(
    cell0Url('mysql+pymysql://n:p@h/nova?charset=utf8'),
    'mysql+pymysql://n:p@h/nova_cell0?charset=utf8',
  )
})
