import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowsRequest } from './access-rules.ts'

test('an access rule allows its method on paths of its pattern, at its service', () => {
  const cases: [string, string, boolean][] = [
    ['/v2.1/servers', '/v2.1/servers', true],
    ['/v2.1/servers', '/v2x1/servers', false],
    ['/v2.1/servers', '/v2.1/servers/1', false],
    ['/v2.1/servers/{id}', '/v2.1/servers/1', true],
    ['/v2.1/servers/{id}', '/v2.1/servers/1/action', false],
    ['/v2.1/servers/*/action', '/v2.1/servers/1/action', true],
    ['/v2.1/**', '/v2.1/servers/1/action', true],
  ]
  for (const [path, asked, allowed] of cases) {
    const rules = [{ service: 'compute', method: 'GET', path }]
    const request = { service: 'compute', method: 'GET', path: asked }
    assert.equal(allowsRequest(rules, request), allowed, `${path} for ${asked}`)
    assert.equal(allowsRequest(rules, { ...request, method: 'POST' }), false)
    assert.equal(allowsRequest(rules, { ...request, service: 'network' }), false)
  }
  assert.equal(allowsRequest([], { service: 'compute', method: 'GET', path: '/' }), false)
})
