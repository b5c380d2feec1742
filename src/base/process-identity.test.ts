import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { isDead, ownIdentity } from './process-identity.ts'

test("a living process is not taken for dead, an ended one is, and one elsewhere is nobody's business", async () => {
  const own = ownIdentity()
  assert.equal(isDead(own), false)
  const [pid, started, namespace] = own.split('.')
  const child = spawn('true')
  await once(child, 'exit')
  assert.equal(isDead(`${child.pid}.${started}.${namespace}`), true)
  // Another process of the same number, begun earlier.
  assert.equal(isDead(`${pid}.1.${namespace}`), true)
  assert.equal(isDead(`${child.pid}.${started}.1`), false)
  assert.equal(isDead('no identity'), false)
})
