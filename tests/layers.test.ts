import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { layers } from './layers.ts'

const root = join(import.meta.dirname, '../src')
const onlyForTests = /(\.test|\/[\w-]*world|\/testing|\/test-[\w-]+|\/fake-network|\/rival)\.ts$|\/testing\//
const files = globSync('**/*.ts', { cwd: root })

const within = (path: string, part: string): boolean =>
  part === '' || path === part || path.startsWith(`${part}/`)

function* importsOf(file: string): Generator<string> {
  const text = readFileSync(join(root, file), 'utf8')
  for (const [, to = ''] of text.matchAll(
    /^(?:import|export)\b[^'"]*?from '([^']+)'|\bimport\('([^']+)'\)/gms,
  )) {
    if (to.startsWith('#')) yield to.slice(1)
    else if (to.startsWith('.')) yield relative(root, join(root, dirname(file), to))
  }
}

test('no file imports what its layer may not', () => {
  const wrong: string[] = []
  for (const file of files.filter((path) => !onlyForTests.test(`/${path}`))) {
    const layer = layers.find(([path]) => within(file, path))
    assert.ok(layer, `${file} is in no layer`)
    const [own, may] = layer
    for (const to of importsOf(file)) {
      if (!['base', own, ...may].some((part) => within(to, part))) wrong.push(`${file} → ${to}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('every layer is there, and no file is longer than 500 lines', () => {
  for (const [path] of layers)
    assert.ok(
      files.some((file) => within(file, path)),
      `${path} has no file`,
    )
  const lines = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length - 1
  assert.deepEqual(
    files.filter((file) => lines(file) > 500),
    [],
  )
})
