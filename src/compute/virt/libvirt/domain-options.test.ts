import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unfitFor } from './domain-options.ts'

test('kvm is refused where the processor cannot, and nothing else is', async () => {
  const [can, cannot] = [async () => true, async () => false]
  const reason = (await unfitFor('kvm', cannot)) ?? ''
  assert.match(reason, /virt_type is kvm, but .*write virt_type = qemu/)
  assert.ok(`AUTO: ${reason}`.length <= 255)
  assert.equal(await unfitFor('kvm', can), undefined)
  assert.equal(await unfitFor('qemu', cannot), undefined)
  assert.equal(await unfitFor('auto', cannot), undefined)
})
