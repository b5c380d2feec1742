/** What a token says by itself, and its compact binary form: a project-scoped token is 142 characters. */

export type Scope =
  | { kind: 'unscoped' }
  | { kind: 'project'; id: string }
  | { kind: 'domain'; id: string }
  | { kind: 'system' }

export interface Claims {
  userId: string
  methods: readonly string[]
  scope: Scope
  trustId?: string
  applicationCredentialId?: string
  /** Of OAuth 1.0a. */
  accessTokenId?: string
  auditId: string
  /** The audit id of the first token of a chain of rescoped ones. */
  parentAuditId?: string
  /** Milliseconds since the epoch. */
  issuedAt: number
  expiresAt: number
}

const version = 1
const kinds = ['unscoped', 'project', 'domain', 'system'] as const
// The place of a method is its bit in the token: append only.
const methodBits = [
  'password',
  'token',
  'application_credential',
  'ec2credential',
  'external',
  'totp',
  'oauth1',
]

export function encodeClaims(claims: Claims): Buffer {
  const { scope } = claims
  const head = Buffer.alloc(15)
  head[0] = version
  head[1] = claims.methods.reduce((bits, method) => bits | (1 << bitOf(method)), 0)
  head[2] =
    kinds.indexOf(scope.kind) |
    (claims.trustId === undefined ? 0 : 4) |
    (claims.applicationCredentialId === undefined ? 0 : 8) |
    (claims.parentAuditId === undefined ? 0 : 16) |
    (claims.accessTokenId === undefined ? 0 : 32)
  head.writeUIntBE(claims.issuedAt, 3, 6)
  head.writeUIntBE(claims.expiresAt, 9, 6)
  const parts = [head, Buffer.from(claims.auditId, 'base64url'), packId(claims.userId)]
  if ('id' in scope) parts.push(packId(scope.id))
  if (claims.trustId !== undefined) parts.push(packId(claims.trustId))
  if (claims.applicationCredentialId !== undefined) parts.push(packId(claims.applicationCredentialId))
  if (claims.parentAuditId !== undefined) parts.push(Buffer.from(claims.parentAuditId, 'base64url'))
  if (claims.accessTokenId !== undefined) parts.push(packId(claims.accessTokenId))
  return Buffer.concat(parts)
}

/** Undefined when the bytes are of a version that is not known. */
export function decodeClaims(bytes: Buffer): Claims | undefined {
  if (bytes[0] !== version) return undefined
  const flags = bytes[2]!
  let at = 15
  const take = (length: number): Buffer => {
    at += length
    return bytes.subarray(at - length, at)
  }
  const takeId = (): string => {
    const length = take(1)[0]!
    return length === 0 ? take(16).toString('hex') : take(length).toString()
  }
  const auditId = take(16).toString('base64url')
  const userId = takeId()
  const kind = kinds[flags & 3]!
  const scope: Scope = kind === 'project' || kind === 'domain' ? { kind, id: takeId() } : { kind }
  return {
    userId,
    methods: methodBits.filter((_, bit) => (bytes[1]! & (1 << bit)) !== 0),
    scope,
    auditId,
    issuedAt: bytes.readUIntBE(3, 6),
    expiresAt: bytes.readUIntBE(9, 6),
    ...((flags & 4) === 0 ? {} : { trustId: takeId() }),
    ...((flags & 8) === 0 ? {} : { applicationCredentialId: takeId() }),
    ...((flags & 16) === 0 ? {} : { parentAuditId: take(16).toString('base64url') }),
    ...((flags & 32) === 0 ? {} : { accessTokenId: takeId() }),
  }
}

function bitOf(method: string): number {
  const bit = methodBits.indexOf(method)
  if (bit < 0) throw new Error(`no bit stands for the method ${method}`)
  return bit
}

// Ids that keystone makes are 32 hex digits; others (`default`, those of LDAP) are kept as text after their length.
function packId(id: string): Buffer {
  if (/^[0-9a-f]{32}$/.test(id)) return Buffer.concat([Buffer.from([0]), Buffer.from(id, 'hex')])
  const text = Buffer.from(id)
  if (text.length > 255) throw new Error(`an id of ${text.length} bytes does not fit in a token`)
  return Buffer.concat([Buffer.from([text.length]), text])
}
