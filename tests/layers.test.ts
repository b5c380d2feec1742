import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { layers, outOfReach } from './layers.ts'

const root = join(import.meta.dirname, '../src')
const onlyForTests = /(\.test|\/[\w-]*world|\/testing|\/test-[\w-]+|\/fake-network|\/rival)\.ts$|\/testing\//
const files = globSync('**/*.ts', { cwd: root })

const within = (path: string, part: string): boolean =>
  part === '' || path === part || path.startsWith(`${part}/`)

function* importsOf(file: string, only: 'all' | 'running' = 'all'): Generator<string> {
  const text = readFileSync(join(root, file), 'utf8')
  for (const [, type, from, called] of text.matchAll(
    /^(?:import|export)\b( type\b)?[^'"]*?from '([^']+)'|\bimport\('([^']+)'\)/gms,
  )) {
    if (only === 'running' && type !== undefined) continue
    const to = from ?? called ?? ''
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

test('agents and drivers reach no database, however far their imports lead', () => {
  const wrong: string[] = []
  for (const [start, never] of outOfReach) {
    for (const file of files.filter((path) => within(path, start) && !onlyForTests.test(`/${path}`))) {
      const ways = new Map([[file, file]])
      // The map grows while it is walked, until nothing new is reached.
      for (const [at, way] of ways) {
        if (never.some((part) => within(at, part))) wrong.push(way)
        for (const to of importsOf(at, 'running')) if (!ways.has(to)) ways.set(to, `${way} → ${to}`)
      }
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
