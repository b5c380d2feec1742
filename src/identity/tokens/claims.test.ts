import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Claims, decodeClaims, encodeClaims } from './claims.ts'
import { TokenKeys } from './keys.ts'

const hex = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const id = fc.oneof(hex, fc.constantFrom('default', 'f'.repeat(64), 'ünïcode'))
const audit = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'))
const scope = fc.oneof(
  fc.constantFrom({ kind: 'unscoped' as const }, { kind: 'system' as const }),
  fc.record({ kind: fc.constantFrom('project' as const, 'domain' as const), id }, { noNullPrototype: true }),
)
const moment = fc.integer({ min: 0, max: 2 ** 45 })
const claims = fc.record(
  {
    userId: id,
    methods: fc.constantFrom(['password'], ['password', 'token'], ['application_credential'], ['oauth1']),
    scope,
    trustId: hex,
    applicationCredentialId: hex,
    auditId: audit,
    parentAuditId: audit,
    accessTokenId: hex,
    issuedAt: moment,
    expiresAt: moment,
  },
  { noNullPrototype: true, requiredKeys: ['userId', 'methods', 'scope', 'auditId', 'issuedAt', 'expiresAt'] },
)

test('what a token says survives its binary form', () => {
  fc.assert(
    fc.property(claims, (given) => {
      assert.deepEqual({ ...decodeClaims(encodeClaims(given as Claims)) }, { ...given })
    }),
  )
})

test('a token that was changed anywhere, or signed by another, says nothing', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keys-'))
  const keys = new TokenKeys(join(directory, 'ours'))
  const token = keys.sign({
    userId: 'a'.repeat(32),
    methods: ['password'],
    scope: { kind: 'project', id: 'b'.repeat(32) },
    auditId: Buffer.alloc(16).toString('base64url'),
    issuedAt: 1,
    expiresAt: 2,
  })
  assert.equal(keys.read(token)?.userId, 'a'.repeat(32))
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === 'A' ? 'B' : 'A'
    assert.equal(keys.read(token.slice(0, at) + other + token.slice(at + 1)), undefined)
  }
  for (const bad of ['', 'x', `${token}=`, ` ${token}`, token.slice(1), 'A'.repeat(10_000)]) {
    assert.equal(keys.read(bad), undefined)
  }
  assert.equal(new TokenKeys(join(directory, 'theirs')).read(token), undefined)
  rmSync(directory, { recursive: true })
})
