import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlacementClient } from '#placement/client.ts'
import { listServices, updateService } from '../store/services.ts'
import { defaultResourceConfig, registerHosts } from './register-hosts.ts'
import { computeWorld } from './world.ts'

const report = {
  host: 'old-host',
  hostIp: '192.0.2.31',
  hypervisorType: 'QEMU',
  hypervisorVersion: 7_002_000,
  hypervisorHostname: 'old-host',
  cpuInfo: '{}',
  vcpus: 4,
  memoryMb: 4096,
  localGb: 40,
  traits: [],
}
const placement = {
  ensureProvider: async () => ({}),
  setInventories: async () => undefined,
  setTraits: async () => undefined,
} as unknown as PlacementClient

test('a host on which no guest can run is disabled with the reason, and enabled when that is gone', async () => {
  await using world = await computeWorld()
  const cell = world.cells.withHosts()[0]!
  const tell = async (unfit?: string) => {
    const told = unfit === undefined ? report : { ...report, unfit }
    await registerHosts({ cell, placement, resources: defaultResourceConfig }, [told])
    return (await listServices(cell.db, { host: 'old-host' }))[0]!
  }
  assert.equal((await tell()).disabled, 0)
  const unfit = await tell('virt_type is kvm, and the processor cannot.')
  assert.equal(unfit.disabled, 1)
  assert.equal(unfit.disabled_reason, 'AUTO: virt_type is kvm, and the processor cannot.')
  assert.equal((await tell('another reason')).disabled_reason, 'AUTO: another reason')
  const fit = await tell()
  assert.deepEqual([fit.disabled, fit.disabled_reason], [0, null])
  await updateService(cell.db, fit.uuid, { disabled: 1, disabled_reason: 'a disk is changed' })
  assert.equal((await tell('no kvm')).disabled_reason, 'a disk is changed')
  assert.equal((await tell()).disabled, 1)
})
