import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PathTree } from './path-tree.ts'

const tree = new PathTree(
  new Map(
    ['/', '/things', '/things/detail', '/things/:id', '/things/:thing/parts/:id', '/files/*'].map((path) => [
      path,
      path,
    ]),
  ),
)

test('a fixed segment goes before a name, and a way that leads nowhere is left again', () => {
  const found = (path: string) => {
    const at = tree.find(path)
    return at === undefined ? undefined : [at.value, at.params]
  }
  assert.deepEqual(found('/things/detail'), ['/things/detail', {}])
  assert.deepEqual(found('/things/4711'), ['/things/:id', { id: '4711' }])
  assert.deepEqual(found('/things/detail/parts/7'), [
    '/things/:thing/parts/:id',
    { thing: 'detail', id: '7' },
  ])
  assert.deepEqual(found('/things/detail/parts'), undefined)
})

test('what needs a closer look is not found', () => {
  for (const path of [
    '/files/a',
    '/things/',
    '//things',
    '/things/a%2Fb',
    `/things/${'x'.repeat(1000)}`,
    '/',
  ])
    assert.equal(tree.find(path), undefined, path)
})
