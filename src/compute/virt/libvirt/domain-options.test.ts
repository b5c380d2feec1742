import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertVirtType } from './domain-options.ts'

test('kvm is refused where the processor cannot, and nothing else is', async () => {
  const [can, cannot] = [async () => true, async () => false]
  await assert.rejects(assertVirtType('kvm', cannot), /virt_type is kvm, but .*write virt_type = qemu/)
  await assertVirtType('kvm', can)
  await assertVirtType('qemu', cannot)
  await assertVirtType('auto', cannot)
})
