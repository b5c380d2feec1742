import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { configurationPage } from '../src/cli/config/sample.ts'
import { configurationFile } from './configuration.ts'

test('docs/configuration.md names every option that has an effect, and no other', () => {
  assert.equal(readFileSync(configurationFile, 'utf8'), configurationPage(), 'run: npm run docs')
})
