import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prettyTable, wrap } from './pretty-table.ts'

test('a table looks as PrettyTable draws it, down to where odd room goes', () => {
  const table = prettyTable(
    ['Name', 'UUID', 'Disabled'],
    [
      ['cell0', '0000', 'False'],
      ['cell10', '1', 'True'],
    ],
  )
  assert.equal(
    table,
    [
      '+--------+------+----------+',
      '|  Name  | UUID | Disabled |',
      '+--------+------+----------+',
      '| cell0  | 0000 |  False   |',
      '| cell10 |  1   |   True   |',
      '+--------+------+----------+',
    ].join('\n'),
  )
})

test('rows of several lines, to the left and ruled', () => {
  assert.equal(
    prettyTable(['Results'], [['Check: A\nResult: Success'], ['Check: B']], { align: 'left', ruled: true }),
    [
      '+-----------------+',
      '| Results         |',
      '+-----------------+',
      '| Check: A        |',
      '| Result: Success |',
      '+-----------------+',
      '| Check: B        |',
      '+-----------------+',
    ].join('\n'),
  )
})

test('text is broken between words', () => {
  assert.deepEqual(wrap('one two three four', 9, '  '), ['one two', '  three', '  four'])
})
