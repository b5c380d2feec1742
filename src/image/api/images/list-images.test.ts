import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idOf } from '#testing/people.ts'
import { type TestImage, testImage } from '../../testing.ts'

async function names(world: TestImage, who: string, query: string): Promise<string[]> {
  const { status, body } = await world.call(who, 'GET', `/v2/images?${query}`)
  assert.equal(status, 200, `${query}: ${JSON.stringify(body)}`)
  return body.images.map((image: { name: string }) => image.name)
}

async function fill(world: TestImage) {
  await world.image('alice', { name: 'one', tags: ['t', 'u'], os_distro: 'debian' }, Buffer.alloc(1000))
  await world.image('alice', { name: 'two, 2', tags: ['t'], protected: true }, Buffer.alloc(2000))
  await world.image('alice', { name: 'three', visibility: 'private', disk_format: 'iso', os_hidden: true })
  await world.image('bob', { name: 'four', visibility: 'community' })
  await world.image('admin', { name: 'five', visibility: 'public', min_ram: 512 })
}

test('lists are filtered by columns, ranges, tags, properties and time', async () => {
  await using world = await testImage()
  await fill(world)
  // Two of them may be made in the same millisecond: which comes first is no matter here.
  const sorted = 'sort=created_at:asc'
  const cases: [query: string, found: string[]][] = [
    ['', ['one', 'two, 2', 'five']],
    ['os_hidden=true', ['three']],
    ['name=one', ['one']],
    ['name=in:one,%22two,%202%22', ['one', 'two, 2']],
    ['status=active', ['one', 'two, 2']],
    ['size_min=1500', ['two, 2']],
    ['size_max=1500', ['one']],
    ['size=2000', ['two, 2']],
    ['min_ram=512', ['five']],
    ['tag=t', ['one', 'two, 2']],
    ['tag=t&tag=u', ['one']],
    ['os_distro=debian', ['one']],
    ['protected=true', ['two, 2']],
    ['visibility=public', ['five']],
    ['visibility=community', ['four']],
    ['visibility=all', ['one', 'two, 2', 'four', 'five']],
    [`owner=${idOf('alpha')}`, ['one', 'two, 2']],
    ['created_at=gt:2020-01-01T00:00:00Z', ['one', 'two, 2', 'five']],
    ['created_at=lt:2020-01-01', []],
    ['disk_format=in:iso,raw', ['one', 'two, 2', 'five']],
  ]
  for (const [query, found] of cases)
    assert.deepEqual((await names(world, 'alice', `${sorted}&${query}`)).toSorted(), found.toSorted(), query)
  assert.deepEqual((await names(world, 'bob', sorted)).toSorted(), ['five', 'four'])
})

test('a page links to the next, and no image is repeated or left out', async () => {
  await using world = await testImage()
  await fill(world)
  for (const sort of ['sort=size:asc', 'sort_key=name&sort_dir=desc', 'sort=status:asc,name:desc']) {
    const whole = await names(world, 'alice', sort)
    const seen: string[] = []
    let next: string | undefined = `/v2/images?limit=1&${sort}`
    while (next !== undefined) {
      const { body } = await world.call('alice', 'GET', next)
      assert.equal(new URL(body.first, 'http://x').searchParams.get('marker'), null)
      seen.push(...body.images.map((image: { name: string }) => image.name))
      next = body.next
    }
    assert.deepEqual(seen, whole, sort)
  }
})

test('a query that makes no sense is refused', async () => {
  await using world = await testImage()
  for (const query of [
    'limit=x',
    'limit=-1',
    'marker=00000000-0000-0000-0000-000000000000',
    'sort_key=colour',
    'sort=name:up',
    'sort=name&sort_key=name',
    'sort_key=name&sort_key=size&sort_key=id&sort_dir=asc&sort_dir=desc',
    'visibility=secret',
    'member_status=maybe',
    'os_hidden=perhaps',
    'protected=True',
    'size_min=big',
    'name=like:x',
    'name=in:%22open',
    'created_at=gt:yesterday',
    'created_at=around:2020-01-01T00:00:00Z',
    'changes-since=2020-01-01',
  ]) {
    assert.equal((await world.call('alice', 'GET', `/v2/images?${query}`)).status, 400, query)
  }
})
