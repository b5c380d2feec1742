import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { describeRoutes, routesPage } from './routes.ts'

test('docs/api/routes.md names every route, and no other', () => {
  assert.equal(readFileSync(routesPage, 'utf8'), describeRoutes(), 'run: npm run docs')
})
