import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { timestamp } from '../../base/clock.ts'
import { newUuid } from '../../base/ids.ts'
import { listCellMappings } from '../store/cells.ts'
import { insertInstanceMapping, setInstanceCell } from '../store/instance-mappings.ts'
import { getRequestSpec, insertRequestSpec, type RequestSpec } from '../store/request-specs.ts'
import { hostConnector } from './host-connector.ts'
import { mayFollow } from './machine-types.ts'
import { type ManageWorld, manageWorld } from './world.ts'

const flavor = { vcpus: 1, memory_mb: 512, root_gb: 1, ephemeral_gb: 0, swap: 0, extra_specs: {} }

/** A cloud with cell1 and a server in it. */
async function withServer(world: ManageWorld, vmState: string): Promise<string> {
  for (const line of ['api_db sync', 'cell_v2 map_cell0', 'cell_v2 create_cell --name=cell1', 'db sync']) {
    await world.run(line)
  }
  return await addServer(world, vmState)
}

async function addServer(world: ManageWorld, vmState: string): Promise<string> {
  const uuid = newUuid()
  const { deps } = world
  await deps
    .cellDb(deps.settings.database!)
    .insertInto('instances')
    .values({
      uuid,
      user_id: 'user',
      project_id: 'project',
      image_ref: 'image',
      launch_index: 0,
      power_state: 4,
      vm_state: vmState,
      memory_mb: 512,
      vcpus: 1,
      root_gb: 1,
      ephemeral_gb: 0,
      hostname: 'one',
      reservation_id: 'r-1',
      display_name: 'one',
      locked: 0,
      config_drive: '',
      progress: 0,
      auto_disk_config: 0,
      created_at: timestamp(),
      deleted: 0,
    })
    .execute()
  const of = { instanceUuid: uuid, projectId: 'project', userId: 'user' }
  await insertInstanceMapping(deps.apiDb(), { ...of, vcpus: 1, memoryMb: 512 })
  const cell1 = (await listCellMappings(deps.apiDb())).find(({ name }) => name === 'cell1')!
  await setInstanceCell(deps.apiDb(), uuid, cell1.id)
  const image = { id: 'image', diskFormat: 'qcow2', containerFormat: 'bare', minDiskGb: 1, minRamMb: 0 }
  await insertRequestSpec(deps.apiDb(), {
    ...of,
    flavor,
    image: { ...image, name: 'small', size: 1, properties: { os_distro: 'debian' } },
    availabilityZone: null,
  } as unknown as RequestSpec)
  return uuid
}

test('image properties are shown, and set while the server does not run', async () => {
  await using world = manageWorld()
  const uuid = await withServer(world, 'stopped')
  const run = (line: string) => world.run(`image_property ${line}`)
  assert.deepEqual(await run(`show ${uuid} os_distro`), { code: 0, output: 'debian' })
  assert.deepEqual(await run(`show ${uuid} disk_format`), { code: 0, output: 'qcow2' })
  assert.deepEqual(await run(`show ${uuid} hw_disk_bus`), {
    code: 3,
    output: `Image property hw_disk_bus not found for instance ${uuid}.`,
  })
  const set = `set ${uuid} --property hw_disk_bus=sata --property os_command_line=console=ttyS0`
  assert.deepEqual(await run(set), { code: 0, output: '' })
  assert.equal((await run(`show ${uuid} hw_disk_bus`)).output, 'sata')
  assert.equal((await run(`show ${uuid} os_command_line`)).output, 'console=ttyS0')
  assert.deepEqual((await getRequestSpec(world.deps.apiDb(), uuid)).image!.properties, {
    os_distro: 'debian',
    hw_disk_bus: 'sata',
    os_command_line: 'console=ttyS0',
  })
  assert.equal((await run(`set ${uuid}`)).code, 4)
  assert.equal((await run(`set ${uuid} --property hw_disk_bus`)).code, 4)
  assert.deepEqual(await run(`set ${uuid} --property hw_disc_bus=sata`), {
    code: 5,
    output: 'Invalid image property name hw_disc_bus.',
  })
  const refused = await run(`set ${uuid} --property hw_vif_model=e1000 --property hw_disk_bus=mfm`)
  assert.equal(refused.code, 6)
  assert.match(refused.output, /hw_disk_bus: mfm is none of fdc, ide, sata/)
  assert.equal((await run(`show ${uuid} hw_vif_model`)).code, 3)
  assert.equal((await run(`set ${uuid} --property hw_cpu_cores=two`)).code, 6)
  const running = await addServer(world, 'active')
  const whileRunning = await run(`set ${running} --property hw_disk_bus=sata`)
  assert.equal(whileRunning.code, 3)
  assert.match(whileRunning.output, /in vm_state active\. Cannot image_property set/)
})

test('machine types are set, kept to their kind and never made older, unless forced', async () => {
  await using world = manageWorld()
  const uuid = await withServer(world, 'stopped')
  const run = (line: string) => world.run(`libvirt ${line}`)
  assert.deepEqual(await run(`get_machine_type ${uuid}`), {
    code: 3,
    output: `No machine type registered for instance ${uuid}`,
  })
  assert.deepEqual(await run('list_unset_machine_type'), { code: 3, output: uuid })
  assert.equal((await run(`update_machine_type ${uuid} vax`)).code, 5)
  assert.deepEqual(await run(`update_machine_type ${uuid} pc-q35-5.2`), {
    code: 0,
    output: `Updated instance ${uuid} machine type to pc-q35-5.2 (previously None)`,
  })
  assert.deepEqual(await run(`get_machine_type ${uuid}`), { code: 0, output: 'pc-q35-5.2' })
  assert.deepEqual(await run('list_unset_machine_type'), {
    code: 0,
    output: 'No instances found without hw_machine_type set.',
  })
  for (const older of ['pc-q35-4.2', 'pc', 'q35', 'pc-i440fx-7.2']) {
    assert.deepEqual(await run(`update_machine_type ${uuid} ${older}`), {
      code: 4,
      output: `Cannot update machine type pc-q35-5.2 to ${older}.`,
    })
  }
  assert.equal((await run(`update_machine_type ${uuid} pc-q35-7.2`)).code, 0)
  const running = await addServer(world, 'active')
  assert.equal((await run(`update_machine_type ${running} q35`)).code, 3)
  const forced = await run(`update_machine_type ${running} q35 --force`)
  assert.equal(forced.code, 0)
  assert.match(forced.output, /^Forcing update of machine type\.\n/)
  const cell1 = (await listCellMappings(world.deps.apiDb())).find(({ name }) => name === 'cell1')!
  await addServer(world, 'building')
  assert.equal((await run(`list_unset_machine_type --cell-uuid ${cell1.uuid}`)).code, 0)
  assert.equal((await run(`list_unset_machine_type --cell-uuid ${newUuid()}`)).code, 2)
})

test('versions of machine types are compared by number', () => {
  assert.equal(mayFollow('pc-q35-7.2', 'pc-q35-10.0'), true)
  assert.equal(mayFollow('pc-q35-rhel8.2.0', 'pc-q35-rhel8.10.0'), true)
  assert.equal(mayFollow('pc-q35-rhel8.2.1', 'pc-q35-rhel8.2.0'), false)
  assert.equal(mayFollow('pc', 'pc'), true)
})

test('no volume is attached to any server', async () => {
  await using world = manageWorld()
  const uuid = await withServer(world, 'stopped')
  const run = (line: string) => world.run(`volume_attachment ${line}`)
  const volume = newUuid()
  const none = `No volume Block Device Mapping with id ${volume}.`
  assert.deepEqual(await run(`show ${uuid} ${volume} --connection_info --json`), { code: 3, output: none })
  assert.equal((await run(`refresh ${uuid} ${volume} ${world.directory}/connector`)).code, 2)
  writeFileSync(`${world.directory}/connector`, 'host=compute')
  assert.equal((await run(`refresh ${uuid} ${volume} ${world.directory}/connector`)).code, 3)
  writeFileSync(`${world.directory}/connector`, '{"host": "compute"}')
  assert.deepEqual(await run(`refresh ${uuid} ${volume} ${world.directory}/connector`), {
    code: 6,
    output: none,
  })
  assert.equal((await run(`refresh ${newUuid()} ${volume} ${world.directory}/connector`)).code, 4)
  const table = await run('get_connector')
  assert.match(table.output, /\| Property +\| Value +\|/)
  assert.match(table.output, /\| multipath +\| False +\|/)
  const json = JSON.parse((await run('get_connector --json')).output)
  assert.equal(json.host, 'controller')
  assert.equal(json.ip, '192.0.2.10')
})

test('the connector of a host names the initiators it has', async () => {
  await using world = manageWorld()
  const root = join(world.directory, 'root')
  const write = (path: string, content: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  write('etc/iscsi/initiatorname.iscsi', '## DO NOT EDIT\nInitiatorName=iqn.1993-08.org.debian:01:1\n')
  write('sys/class/fc_host/host0/port_name', '0x50014380242b9750\n')
  write('sys/class/fc_host/host0/node_name', '0x50014380242b9751\n')
  write('etc/nvme/hostnqn', 'nqn.2014-08.org.nvmexpress:uuid:1\n')
  const connector = hostConnector({ host: 'compute', ip: '192.0.2.31', root })
  assert.equal(connector['initiator'], 'iqn.1993-08.org.debian:01:1')
  assert.deepEqual(connector['wwpns'], ['50014380242b9750'])
  assert.deepEqual(connector['wwnns'], ['50014380242b9751'])
  assert.equal(connector['nqn'], 'nqn.2014-08.org.nvmexpress:uuid:1')
  assert.equal(connector['system uuid'], undefined)
})

test('a server that is not there is told with the code of each command', async () => {
  await using world = manageWorld()
  await withServer(world, 'stopped')
  const uuid = newUuid()
  const lines = ['libvirt get_machine_type', 'libvirt update_machine_type', 'volume_attachment show']
  for (const line of [...lines, 'image_property show', 'image_property set']) {
    const rest = line.endsWith('set')
      ? '--property hw_disk_bus=virtio'
      : line.endsWith('get_machine_type')
        ? ''
        : 'x'
    const { code, output } = await world.run(`${line} ${uuid} ${rest}`.trim())
    assert.deepEqual(
      { code, output },
      { code: 2, output: `Instance ${uuid} has no mapping to a cell.` },
      line,
    )
  }
})
