import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../base/errors.ts'
import { newUuid } from '../../base/ids.ts'
import { silentLogger } from '../../base/log.ts'
import { openTestDatabase } from '../../testing/databases/test-database.ts'
import { until } from '../../testing/until.ts'
import { networkMigrations } from '../store/migrations/list.ts'
import type { Tables } from '../store/tables.ts'
import type { ComputeEvent } from './compute-event.ts'
import { createOutbox, type Outbox } from './outbox.ts'

const event = (tag: string): ComputeEvent => ({ name: 'network-changed', server_uuid: newUuid(), tag })

test('an event is delivered once however many processes are woken, and by another when its process died', async () => {
  await using db = await openTestDatabase<Tables>(networkMigrations)
  const seen: string[] = []
  const send = async (events: readonly ComputeEvent[]) => {
    await new Promise(setImmediate)
    seen.push(...events.map(({ tag }) => tag))
  }
  const add = async (tags: readonly string[], owner = '', lease = '') => {
    const rows = tags.map((tag) => ({ event: JSON.stringify(event(tag)), created_at: '' }))
    await db
      .insertInto('compute_events')
      .values(rows.map((row) => ({ ...row, owner, lease_expires_at: lease })))
      .execute()
  }
  const left = async () =>
    (await db.selectFrom('compute_events').select('owner').execute()).map((row) => row.owner)
  const tags = Array.from({ length: 250 }, (_, index) => `port-${index}`)
  await add(tags)
  await add(['of-the-dead'], 'dead', '2020-01-01T00:00:00.000Z')
  await add(['of-another'], 'living', '2100-01-01T00:00:00.000Z')
  const outboxes = [1, 2, 3].map(() => createOutbox({ db, send, log: silentLogger }))
  for (const outbox of outboxes) outbox.wake()
  await until(async () => ((await left()).length === 1 ? true : undefined), 'the events to be delivered')
  assert.deepEqual(seen.toSorted(), [...tags, 'of-the-dead'].toSorted())
  assert.deepEqual(await left(), ['living'])
  for (const outbox of outboxes) await outbox[Symbol.asyncDispose]()
})

test('what compute could not take is delivered later', async () => {
  await using db = await openTestDatabase<Tables>(networkMigrations)
  await db
    .insertInto('compute_events')
    .values({ event: JSON.stringify(event('a')), created_at: '' })
    .execute()
  let tries = 0
  const send = async () => {
    if (++tries === 1) throw new Fault('unavailable', 'not now')
  }
  await using _outbox = createOutbox({ db, send, log: silentLogger })
  await until(async () => (tries === 2 ? true : undefined), 'a second try')
})

test('a process that ends leaves its events to others at once, and none that it delivered', async () => {
  await using db = await openTestDatabase<Tables>(networkMigrations)
  const add = (outbox: Outbox, tag: string) =>
    db
      .insertInto('compute_events')
      .values({ event: JSON.stringify(event(tag)), created_at: '', ...outbox.mark() })
      .execute()
  const away = createOutbox({
    db,
    send: async () => {
      throw new Fault('unavailable', 'not now')
    },
    log: silentLogger,
  })
  const seen: string[] = []
  const send = async (events: readonly ComputeEvent[]) => void seen.push(...events.map(({ tag }) => tag))
  const other = createOutbox({ db, send, log: silentLogger })
  await add(away, 'a')
  await add(other, 'b')
  for (const outbox of [away, other]) outbox.wake()
  await until(async () => (seen.length === 1 ? true : undefined), 'the event of the one')
  await away[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
  const left = await db.selectFrom('compute_events').select(['event', 'owner']).execute()
  assert.deepEqual([seen, left.map((row) => [JSON.parse(row.event).tag, row.owner])], [['b'], [['a', '']]])
})
