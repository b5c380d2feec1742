import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gathered } from './gathered.ts'

/** A read whose ends the test decides on. */
function heldRead() {
  const reads: { place: string; keys: readonly number[]; end(): void; fail(error: Error): void }[] = []
  const read = gathered((place: string, keys: readonly number[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<number, string>>()
    const end = () => resolve(new Map(keys.map((key) => [key, `${place}${key}`])))
    reads.push({ place, keys, end, fail: reject })
    return promise
  })
  return { reads, read }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('who asks while a read is under way is served by the next one, together with all others who wait', async () => {
  const { reads, read } = heldRead()
  const first = read('a', [1])
  await settled()
  const others = [read('a', [2, 1]), read('a', [3, 2])]
  const elsewhere = read('b', [4])
  await settled()
  assert.deepEqual(
    reads.map(({ place, keys }) => [place, keys]),
    [
      ['a', [1]],
      ['b', [4]],
    ],
  )
  reads[0]!.end()
  assert.equal((await first).get(1), 'a1')
  await settled()
  assert.deepEqual(reads[2]!.keys, [2, 1, 3])
  reads[2]!.end()
  const [second, third] = await Promise.all(others)
  assert.deepEqual([second!.get(1), second!.get(2), third!.get(3)], ['a1', 'a2', 'a3'])
  reads[1]!.end()
  assert.equal((await elsewhere).get(4), 'b4')
  // Nothing is under way any more: the next waits for no other to end.
  const last = read('a', [5])
  await settled()
  assert.deepEqual(reads[3]!.keys, [5])
  reads[3]!.end()
  assert.equal((await last).get(5), 'a5')
})

test('who asks in the same turn as others is served together with them, and the first does not go alone', async () => {
  const { reads, read } = heldRead()
  const asked = [read('a', [1]), read('a', [2]), read('a', [3])]
  await settled()
  assert.deepEqual(
    reads.map(({ keys }) => keys),
    [[1, 2, 3]],
  )
  reads[0]!.end()
  assert.deepEqual(
    (await Promise.all(asked)).map((found, index) => found.get(index + 1)),
    ['a1', 'a2', 'a3'],
  )
})

test('who asks for much waits for nobody, and nobody for him', async () => {
  const { reads, read } = heldRead()
  const much = read(
    'a',
    Array.from({ length: 1000 }, (_, key) => key),
  )
  const little = read('a', [1])
  const more = read(
    'a',
    Array.from({ length: 1000 }, (_, key) => key),
  )
  await settled()
  assert.deepEqual(
    reads.map(({ keys }) => keys.length),
    [1000, 1000, 1],
  )
  for (const each of reads) each.end()
  await Promise.all([much, little, more])
})

test('a read that fails for many is made again for each, so that only whose fault it is are told', async () => {
  const { reads, read } = heldRead()
  const first = read('a', [1])
  await settled()
  const good = read('a', [2])
  const bad = read('a', [3])
  reads[0]!.fail(new Error('one'))
  await assert.rejects(first, /one/)
  await settled()
  reads[1]!.fail(new Error('three is bad'))
  await settled()
  assert.deepEqual(
    reads.slice(2).map(({ keys }) => keys),
    [[2], [3]],
  )
  const late = read('a', [4])
  reads[2]!.end()
  reads[3]!.fail(new Error('three is bad'))
  assert.equal((await good).get(2), 'a2')
  await assert.rejects(bad, /three is bad/)
  await settled()
  reads[4]!.end()
  assert.equal((await late).get(4), 'a4')
})
