import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { GuestJournal } from './guest-journal.ts'

interface Guest {
  uuid: string
  power: string
}

test('guests are there again as they last were, and a line that was cut off is passed over', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-journal-'))
  {
    using journal = new GuestJournal<Guest>(directory)
    journal.keep({ uuid: 'a', power: 'paused' })
    journal.keep({ uuid: 'b', power: 'running' })
    journal.keep({ uuid: 'a', power: 'running' })
    journal.forget('b')
  }
  appendFileSync(join(directory, 'guests'), '{"guest":{"uu')
  using again = new GuestJournal<Guest>(directory)
  assert.deepEqual(again.guests(), [{ uuid: 'a', power: 'running' }])
  rmSync(directory, { recursive: true })
})

test('the file does not grow with what happened, only with the guests there are', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-journal-'))
  using journal = new GuestJournal<Guest>(directory)
  journal.keep({ uuid: 'stays', power: 'running' })
  for (let round = 0; round < 2000; round++) {
    journal.keep({ uuid: 'comes', power: 'running' })
    journal.forget('comes')
  }
  const lines = readFileSync(join(directory, 'guests'), 'utf8').split('\n').length
  assert.ok(lines < 1100, `${lines} lines`)
  using again = new GuestJournal<Guest>(directory)
  assert.deepEqual(again.guests(), [{ uuid: 'stays', power: 'running' }])
  rmSync(directory, { recursive: true })
})
