import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseNic, type Nic, warningFor } from './nics.ts'

const nic = (name: string, changes: Partial<Nic> = {}): Nic => ({
  name,
  link: 'up',
  addresses: [],
  hasDefaultRoute: false,
  master: null,
  ...changes,
})
const outward = nic('ens32', { addresses: ['10.0.0.11/24'], hasDefaultRoute: true })

test('the NIC that nothing else uses is chosen, one with a link before others', () => {
  assert.equal(chooseNic([outward, nic('ens33')]).name, 'ens33')
  assert.equal(chooseNic([outward, nic('ens33', { link: 'no carrier' }), nic('ens34')]).name, 'ens34')
  assert.equal(chooseNic([outward, nic('ens33', { master: 'bond0' }), nic('ens34')]).name, 'ens34')
  assert.throws(() => chooseNic([outward, nic('ens33'), nic('ens34')]), /any of ens33, ens34; say which/)
  assert.throws(() => chooseNic([outward]), /No NIC of this host is free.*\n.*ens32 .*default route/)
})

test("a NIC with the host's own traffic is taken only by who was told what becomes of it", () => {
  assert.throws(
    () => chooseNic([outward], 'ens32'),
    /ens32 carries 10\.0\.0\.11\/24, the default route\..*--yes/,
  )
  assert.equal(chooseNic([outward], 'ens32', true).name, 'ens32')
  assert.throws(() => chooseNic([outward], 'ens99', true), /has no NIC ens99; it has:\n.*ens32/)
  assert.equal(warningFor(nic('ens33', { master: 'brq1234' })), undefined)
})
