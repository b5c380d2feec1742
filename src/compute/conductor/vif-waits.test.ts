import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, isFault } from '../../base/errors.ts'
import { createVifWaits } from './vif-waits.ts'

const { signal } = new AbortController()
const nothing = { timeoutSeconds: 10, signal, again: false, look: async () => [] }

test('events let go who waits, whether they come before or after', async () => {
  const waits = createVifWaits()
  waits.plugged('early', true)
  const waiting = waits.wait(['early', 'late'], nothing)
  waits.plugged('late', true)
  await waiting
})

test('an event that says failed fails the wait, and names the port', async () => {
  const waits = createVifWaits()
  const waiting = waits.wait(['a'], nothing)
  waits.plugged('a', false)
  await assert.rejects(waiting, /could not wire the ports a\./)
})

test('who waits again asks Network first: the event may be over', async () => {
  await createVifWaits().wait(['a'], { ...nothing, again: true, look: async (ids) => ids })
})

test('a Network that is away is asked again, and its event still counts', async () => {
  const waits = createVifWaits()
  const away = async () => {
    throw new Fault('unavailable', 'Nothing listens there.')
  }
  const waiting = waits.wait(['a'], { ...nothing, again: true, look: away })
  await new Promise(setImmediate)
  waits.plugged('a', true)
  await waiting
})

test('the time is limited, and a cancel ends the wait', async () => {
  const waits = createVifWaits()
  await assert.rejects(waits.wait(['a'], { ...nothing, timeoutSeconds: 0.01 }), (error) =>
    isFault(error, 'unavailable'),
  )
  const cancel = new AbortController()
  const waiting = waits.wait(['a'], { ...nothing, signal: cancel.signal })
  cancel.abort(new Error('cancelled'))
  await assert.rejects(waiting, /cancelled/)
})
