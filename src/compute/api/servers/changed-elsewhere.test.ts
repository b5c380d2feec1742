/** What a process knows of servers, and others change. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import { failInstance } from '../../conductor/record-instance.ts'
import { saveInterfaces } from '../../conductor/tasks-of-instance.ts'
import { findBuildRequest } from '../../store/build-requests.ts'
import {
  mergeSystemMetadata,
  moveInstance,
  purgeInstance,
  removeSystemMetadata,
  setMetadata,
  setNetworkInfo,
  softDeleteInstance,
  updateInstance,
} from '../../store/instance-changes.ts'
import type { Instance } from '../../store/instance-records.ts'
import { findInstance, insertInstance } from '../../store/instances.ts'
import { listInstances } from '../../store/list-instances.ts'
import type { NetworkInfo } from '../../store/network-info.ts'
import { setTags } from '../../store/tags.ts'
import { makeCloud, type TestCloud } from '../testing/cloud.ts'

/** The cells as another process has them: what one has read, the other does not know. */
function processOf({ deps, cell0, cell1 }: TestCloud) {
  const own = [{ ...cell0 }, { ...cell1 }]
  return { apiDb: deps.apiDb, cells: { all: async () => own } }
}

const vif = (id: string): NetworkInfo => [
  {
    id,
    address: 'fa:16:3e:00:00:01',
    network: { id: 'n1', label: 'net', bridge: '', subnets: [], meta: { tenant_id: '', mtu: 1500 } },
    type: 'bridge',
    vnic_type: 'normal',
    devname: '',
    active: true,
    preserve_on_delete: false,
    tag: null,
  },
]

test('each change of a server is seen at once by who has read it before, alone and in lists', async () => {
  await using cloud = await makeCloud()
  const { db } = cloud.cell1
  const id = await cloud.create()
  await cloud.create()
  await cloud.settle(id)
  const reader = processOf(cloud)
  const failure = {
    uuid: id,
    requestId: 'r',
    event: 'e',
    host: null,
    error: new Fault('conflict', 'It broke.'),
  }
  const changes: [change: () => Promise<unknown>, shows: (instance: Instance) => unknown, value: unknown][] =
    [
      [() => updateInstance(db, id, { display_name: 'b' }), (i) => i.display_name, 'b'],
      [
        () => moveInstance(db, id, { vmStates: ['active'] }, { task_state: 'powering-off' }),
        (i) => i.task_state,
        'powering-off',
      ],
      [() => updateInstance(db, id, { task_state: null }), (i) => i.task_state, null],
      [() => setNetworkInfo(db, id, vif('p1')), (i) => i.networkInfo[0]?.id, 'p1'],
      [() => saveInterfaces(db, id, vif('p2'), null), (i) => i.networkInfo[0]?.id, 'p2'],
      // Only what is being built enters a task with its interfaces.
      [() => updateInstance(db, id, { vm_state: 'building' }), (i) => i.vm_state, 'building'],
      [
        () => saveInterfaces(db, id, vif('p3'), 'spawning'),
        (i) => [i.networkInfo[0]?.id, i.task_state],
        ['p3', 'spawning'],
      ],
      [() => updateInstance(db, id, { task_state: 'deleting' }), (i) => i.task_state, 'deleting'],
      // The task is not entered, as the server is being deleted.
      [
        () => saveInterfaces(db, id, vif('p4'), 'spawning'),
        (i) => [i.networkInfo[0]?.id, i.task_state],
        ['p4', 'deleting'],
      ],
      [() => updateInstance(db, id, { task_state: null }), (i) => i.task_state, null],
      [() => inTransaction(db, (own) => setMetadata(own, id, { a: '1' })), (i) => i.metadata, { a: '1' }],
      [() => inTransaction(db, (own) => setMetadata(own, id, {})), (i) => i.metadata, {}],
      [() => mergeSystemMetadata(db, id, { k: 'v' }), (i) => i.systemMetadata['k'], 'v'],
      [
        () => inTransaction(db, (own) => removeSystemMetadata(own, id, ['k'])),
        (i) => i.systemMetadata['k'],
        undefined,
      ],
      [() => inTransaction(db, (own) => setTags(own, id, ['x', 'y'])), (i) => i.tags, ['x', 'y']],
      [() => failInstance(db, failure), (i) => i.fault?.message, 'It broke.'],
      [() => updateInstance(db, id, { vm_state: 'active' }), (i) => i.fault, null],
      // As the state is set by an administrator: the fault is what it was.
      [() => updateInstance(db, id, { vm_state: 'error' }), (i) => i.fault?.message, 'It broke.'],
    ]
  const show = async () => (await findInstance(reader, id))!
  const list = async () => (await listInstances(reader, {})).find(({ uuid }) => uuid === id)!
  for (const look of [show, list]) {
    for (const [change, shows, value] of changes) {
      await look()
      await change()
      assert.deepEqual(shows(await look()), value)
      assert.deepEqual(shows(await show()), value)
      assert.deepEqual(shows(await list()), value)
    }
    await updateInstance(db, id, { vm_state: 'active' })
  }
})

test('what is taken back while it is read is not kept', async () => {
  await using cloud = await makeCloud()
  const { db } = cloud.cell1
  const id = await cloud.create()
  await cloud.settle(id)
  const reader = processOf(cloud)
  await findInstance(reader, id)
  await assert.rejects(
    inTransaction(db, async (own) => {
      await setMetadata(own, id, { a: '1' })
      throw new Error('taken back')
    }),
  )
  assert.deepEqual((await findInstance(reader, id))?.metadata, {})
})

test('a server that was deleted elsewhere is gone, and one recorded anew is not taken for it', async () => {
  await using cloud = await makeCloud()
  const { db } = cloud.cell1
  const [deleted, moved] = [await cloud.create(), await cloud.create()]
  const made = await findBuildRequest(cloud.deps.apiDb, moved)
  for (const id of [deleted, moved]) await cloud.settle(id)
  const reader = processOf(cloud)
  for (const id of [deleted, moved]) await findInstance(reader, id)
  await softDeleteInstance(db, deleted)
  assert.equal(await findInstance(reader, deleted), undefined)
  assert.equal((await findInstance(reader, deleted, { deleted: true }))?.vm_state, 'deleted')
  assert.deepEqual(
    (await listInstances(reader, { deleted: true })).map(({ uuid }) => uuid),
    [deleted],
  )
  await purgeInstance(db, moved)
  assert.equal(await findInstance(reader, moved), undefined)
  assert.deepEqual(await listInstances(reader, {}), [])
  await insertInstance(db, { ...made!, metadata: { again: 'yes' } }, { vm_state: 'active', task_state: null })
  assert.deepEqual((await findInstance(reader, moved))?.metadata, { again: 'yes' })
  assert.deepEqual((await listInstances(reader, {}))[0]?.metadata, { again: 'yes' })
})

test('more servers are read than are kept', async () => {
  await using cloud = await makeCloud()
  const { db } = cloud.cell1
  const id = await cloud.create()
  const made = (await findBuildRequest(cloud.deps.apiDb, id))!
  await cloud.settle(id)
  const count = 2100
  await inTransaction(db, async (own) => {
    for (let at = 1; at < count; at++) {
      const uuid = `${id.slice(0, -4)}${at.toString(16).padStart(4, '0')}`
      if (uuid !== id)
        await insertInstance(own, { ...made, row: { ...made.row, uuid, display_name: `vm-${at}` } })
    }
  })
  const reader = processOf(cloud)
  const names = async () => new Set((await listInstances(reader, {})).map((one) => one.display_name))
  assert.ok((await names()).size >= count - 1)
  assert.deepEqual(await names(), await names())
  const page = (limit: number, marker?: string) =>
    listInstances(
      reader,
      {},
      { sort: [{ key: 'display_name', descending: false }], limit, ...(marker ? { marker } : {}) },
    )
  const all = [...(await names())].sort()
  // Two lists that are asked for at once are each their own.
  const [first, short] = await Promise.all([page(1500), page(2)])
  assert.deepEqual(
    first.map((one) => one.display_name),
    all.slice(0, 1500),
  )
  assert.equal(short.length, 2)
  const second = await page(1500, first.at(-1)!.uuid)
  assert.deepEqual(
    second.map((one) => one.display_name),
    all.slice(1500),
  )
})
