/** `nova-manage libvirt`: QEMU's machine types of instances, which the image property `hw_machine_type` holds. */
import type { Given, ManageCommand } from '../../base/manage/program.ts'
import { cell0Uuid } from '../store/cell-dbs.ts'
import type { CellMappingRow } from '../store/cells.ts'
import { getRequestSpec, listImageProperties, setImageProperties } from '../store/request-specs.ts'
import { cellsOf, type NovaManage } from './deps.ts'
import { assertNotRunning, exitsWith, getInstanceAt } from './instance-at.ts'

const property = 'hw_machine_type'
const batch = 500

/** Kinds of machines as nova tells them apart: a guest does not survive a change from one to another. */
const kinds = [
  /^pc$/,
  /^q35$/,
  /^virt$/,
  /^s390-ccw-virtio$/,
  /^pc-\d+\.\d+/,
  /^pc-i440fx-\d+\.\d+/,
  /^pc-q35-\d+\.\d+/,
  /^virt-\d+\.\d+/,
  /^s390-ccw-virtio-\d+\.\d+/,
  /^pc-i440fx-rhel\d\.\d+\.\d+/,
  /^pc-q35-rhel\d\.\d+\.\d+/,
]

export const machineTypeCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'libvirt get_machine_type',
    help: 'print the machine type that is stored for an instance',
    arguments: ['<instance_uuid>'],
    run: exitsWith({ 'not-found': 2 }, getMachineType),
  },
  {
    name: 'libvirt update_machine_type',
    help: 'store the machine type of an instance that does not run',
    arguments: ['<instance_uuid>', '<machine_type>'],
    options: [{ flags: '--force', help: 'whatever its state and its machine type so far' }],
    run: exitsWith({ 'not-found': 2, conflict: 3 }, updateMachineType),
  },
  {
    name: 'libvirt list_unset_machine_type',
    help: 'list the instances for which no machine type is stored; exits with 3 when there are some',
    options: [{ flags: '--cell-uuid <cell_uuid>', help: 'only those of this cell' }],
    run: exitsWith({}, listUnset),
  },
]

async function machineTypeOf(deps: NovaManage, uuid: string): Promise<string | undefined> {
  return (await getRequestSpec(deps.apiDb(), uuid)).image?.properties[property]
}

async function getMachineType(given: Given, deps: NovaManage): Promise<number> {
  const uuid = String(given['instanceUuid'])
  await getInstanceAt(deps, uuid)
  const type = await machineTypeOf(deps, uuid)
  deps.print(type ?? `No machine type registered for instance ${uuid}`)
  return type === undefined ? 3 : 0
}

async function updateMachineType(given: Given, deps: NovaManage): Promise<number> {
  const uuid = String(given['instanceUuid'])
  const type = String(given['machineType'])
  const force = given['force'] === true
  if (force) deps.print('Forcing update of machine type.')
  const instance = await getInstanceAt(deps, uuid)
  const before = await machineTypeOf(deps, uuid)
  if (before !== type) {
    if (!force) {
      assertNotRunning(uuid, instance, 'update machine type.')
      if (!kinds.some((kind) => kind.test(type))) {
        deps.print(`Machine type ${type} is not supported.`)
        return 5
      }
      if (before !== undefined && !mayFollow(before, type)) {
        deps.print(`Cannot update machine type ${before} to ${type}.`)
        return 4
      }
    }
    await setImageProperties(deps.apiDb(), uuid, { [property]: type })
  }
  deps.print(`Updated instance ${uuid} machine type to ${type} (previously ${before ?? 'None'})`)
  return 0
}

/** The same kind of machine, and no older version of it. */
export function mayFollow(before: string, after: string): boolean {
  if (kinds.some((kind) => kind.test(before) && !kind.test(after))) return false
  const [from, to] = [versionOf(before), versionOf(after)]
  if (from === undefined) return true
  if (to === undefined) return false
  const differs = from.findIndex((part, at) => part !== (to[at] ?? 0))
  return differs === -1 || (to[differs] ?? 0) > from[differs]!
}

/** `x.y` or `x.y.z` at its end. */
function versionOf(type: string): number[] | undefined {
  return /\d+\.\d+(\.\d+)?$/.exec(type)?.[0].split('.').map(Number)
}

async function listUnset(given: Given, deps: NovaManage): Promise<number> {
  const wanted = given['cellUuid'] as string | undefined
  const cells = (await cellsOf(deps)).filter(({ uuid }) =>
    wanted === undefined ? uuid !== cell0Uuid : uuid === wanted,
  )
  if (wanted !== undefined && cells.length === 0) {
    deps.print(`Cell ${wanted} has no mapping.`)
    return 2
  }
  let found = false
  for (const cell of cells) {
    for await (const uuid of unsetOf(deps, cell)) {
      deps.print(uuid)
      found = true
    }
  }
  if (!found) deps.print('No instances found without hw_machine_type set.')
  return found ? 3 : 0
}

async function* unsetOf(deps: NovaManage, cell: CellMappingRow): AsyncGenerator<string> {
  let after = 0
  for (;;) {
    const rows = await deps
      .cellDb(cell.database_connection)
      .selectFrom('instances')
      .select(['id', 'uuid'])
      .where('deleted', '=', 0)
      .where('vm_state', '!=', 'building')
      .where('id', '>', after)
      .orderBy('id')
      .limit(batch)
      .execute()
    if (rows.length === 0) return
    const uuids = rows.map(({ uuid }) => uuid)
    const properties = await listImageProperties(deps.apiDb(), uuids)
    yield* uuids.filter((uuid) => properties.get(uuid)?.[property] === undefined)
    after = rows.at(-1)!.id
  }
}
