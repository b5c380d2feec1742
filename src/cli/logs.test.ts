import assert from 'node:assert/strict'
import { test } from 'node:test'
import { present } from './logs.ts'

const line = JSON.stringify({
  level: 'info',
  time: 'T',
  service: 'network.dhcp',
  requestId: 'req-1',
  port: 3,
  msg: 'leased',
})

test('a line is shown for its service and for those it belongs to, and for no other', () => {
  assert.equal(present(line, undefined), 'T INFO network.dhcp [req-1] leased port=3')
  assert.equal(present(line, 'network'), 'T INFO network.dhcp [req-1] leased port=3')
  assert.equal(present(line, 'compute'), undefined)
})

test('what is no JSON is shown as it is', () => {
  assert.equal(present('Segmentation fault', undefined), 'Segmentation fault')
})
