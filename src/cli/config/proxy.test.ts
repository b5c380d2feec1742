import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '../../base/errors.ts'
import { type ProxyKind, proxyFile } from './proxy.ts'

const tls = { certificate: '/etc/ssl/cloud.pem', key: '/etc/ssl/cloud.key' }
const several = { listen: '192.0.2.5', backends: ['10.0.0.11', '2001:db8::12'], tls }
const kinds: readonly ProxyKind[] = ['nginx', 'haproxy', 'apache']

test('each API has its own port at the proxy, at every host that runs it', () => {
  for (const kind of kinds) {
    const file = proxyFile(kind, several)
    for (const port of [5000, 9292, 8778, 8774, 9696]) {
      assert.match(file, new RegExp(`192\\.0\\.2\\.5:${port}\\b`), kind)
      assert.match(file, new RegExp(`10\\.0\\.0\\.11:${port}\\b`), kind)
      assert.match(file, new RegExp(`\\[2001:db8::12\\]:${port}\\b`), kind)
    }
    assert.match(file, /\/etc\/ssl\/cloud\.pem/)
  }
})

test('services are told the name and scheme that the client used, and paths pass as they are', () => {
  const nginx = proxyFile('nginx', several)
  assert.match(nginx, /proxy_set_header Host \$http_host;\n +proxy_set_header X-Forwarded-Proto \$scheme;/)
  // A path behind the name would have nginx decode what the client encoded.
  assert.match(nginx, /proxy_pass http:\/\/kilonova-compute;/)
  assert.match(proxyFile('haproxy', several), /set-header X-Forwarded-Proto https\n/)
  const apache = proxyFile('apache', { ...several, backends: ['controller'], tls: undefined })
  assert.match(apache, /ProxyPreserveHost On\n +RequestHeader set X-Forwarded-Proto http\n/)
  assert.match(apache, /ProxyPass \/ http:\/\/controller:8774\/ nocanon/)
  assert.doesNotMatch(apache, /SSL|balancer/)
})

test('what would break out of its line is refused, and so are two listeners of one port', () => {
  const refused = (listen: string, backend: string) =>
    assert.throws(
      () => proxyFile('nginx', { listen, backends: [backend], tls: undefined }),
      (error) => isFault(error, 'invalid'),
    )
  refused('192.0.2.5', 'controller; include /etc/shadow')
  refused('192.0.2.5\n}', 'controller')
  refused('*', '127.0.0.1')
})
