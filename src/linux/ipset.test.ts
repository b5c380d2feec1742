import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareSets, parseSets, setEntries } from './ipset.ts'

const saved = `create N4a hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x12d542db
add N4a 10.0.0.5
add N4a 10.0.0.0/24
create N6b hash:net family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x6291e833
create foreign hash:ip family inet hashsize 1024 maxelem 65536
`

test('sets are changed entry by entry, and destroyed apart', () => {
  const wanted = new Map([
    ['N4a', { family: 'inet' as const, entries: setEntries(['10.0.0.5/32', '10.0.0.6/32']) }],
    ['N4c', { family: 'inet' as const, entries: setEntries([]) }],
  ])
  assert.deepEqual(
    compareSets(parseSets(saved), wanted, (name) => name.startsWith('N')),
    {
      fill: [
        { do: 'add', name: 'N4a', entry: '10.0.0.6' },
        { do: 'remove', name: 'N4a', entry: '10.0.0.0/24' },
        { do: 'create', name: 'N4c', family: 'inet' },
      ],
      destroy: [{ do: 'destroy', name: 'N6b' }],
    },
  )
})

test('everything is two halves, for a set cannot hold it in one entry', () => {
  assert.deepEqual([...setEntries(['0.0.0.0/0', '::/0'])], ['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1'])
})
