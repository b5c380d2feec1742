import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Strategy, sealFor } from './sealed.ts'

const secret = 'shared'
const strategies: Strategy[] = [{ kind: 'none' }, { kind: 'mac', secret }, { kind: 'encrypt', secret }]

test('what was closed for a token is opened for it, and its name does not tell the token', () => {
  for (const strategy of strategies) {
    const seal = sealFor('gAAAA-token', strategy)
    assert.match(seal.name, /^[0-9a-f]{64}$/)
    assert.notEqual(seal.name, sealFor('another', strategy).name)
    assert.equal(seal.open(seal.close('{"ä": 1}')), '{"ä": 1}')
  }
})

test('what was altered, cut, or closed with another secret, for another token or in another way is not opened', () => {
  for (const strategy of strategies.slice(1)) {
    const seal = sealFor('token', strategy)
    const entry = seal.close('{"roles": ["member"]}')
    for (const at of [0, 20, entry.length - 1]) {
      const altered = Buffer.from(entry)
      altered[at]! ^= 1
      assert.equal(seal.open(altered), undefined)
    }
    for (const length of [0, 10, entry.length - 1])
      assert.equal(seal.open(entry.subarray(0, length)), undefined)
    assert.equal(sealFor('token', { ...strategy, secret: 'other' } as Strategy).open(entry), undefined)
    assert.equal(sealFor('other', strategy).open(entry), undefined)
    for (const other of strategies.slice(1)) {
      if (other !== strategy) assert.equal(sealFor('token', other).open(entry), undefined)
    }
  }
  const [, , encrypt] = strategies
  assert.ok(!sealFor('token', encrypt!).close('member').includes('member'))
})
