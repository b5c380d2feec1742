import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '#base/errors.ts'
import { createPasswordHasher } from './passwords.ts'

const passwords = createPasswordHasher({ rounds: 4 })

test('a password fits its own hash and no other, whatever its letters', async () => {
  const hash = await passwords.hash('pässword 🔑')
  assert.match(hash, /^\$scrypt\$ln=4,r=8,p=1\$/)
  assert.equal(await passwords.verify('pässword 🔑', hash), true)
  assert.equal(await passwords.verify('password', hash), false)
  assert.notEqual(await passwords.hash('pässword 🔑'), hash)
})

test('a hash that passlib made, at other costs, is verified', async () => {
  const hash = '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'
  assert.equal(await passwords.verify('password', hash), true)
  assert.equal(await passwords.verify('Password', hash), false)
})

test('nobody gets in without a hash, and endless passwords are refused', async () => {
  assert.equal(await passwords.verify('', undefined), false)
  assert.equal(await passwords.verify('x', null), false)
  await assert.rejects(passwords.hash('x'.repeat(5000)), (error) => isFault(error, 'forbidden'))
  assert.equal(await passwords.verify('x'.repeat(5000), await passwords.hash('x')), false)
})
