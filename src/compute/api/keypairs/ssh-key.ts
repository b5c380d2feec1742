/** SSH and X.509 public keys: making them, reading them, and their fingerprints as nova shows them. */
import { createHash, createPublicKey, generateKeyPair, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import { Fault } from '../../../base/errors.ts'

const generate = promisify(generateKeyPair)

export interface GeneratedKey {
  /** PEM. */
  privateKey: string
  /** `ssh-rsa AAAA… Generated-by-Nova`. */
  publicKey: string
  fingerprint: string
}

/** A new RSA key of 2048 bits. */
export async function generateSshKey(): Promise<GeneratedKey> {
  const { privateKey, publicKey: spki } = await generate('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const { n, e } = createPublicKey(spki).export({ format: 'jwk' })
  const blob = Buffer.concat([
    field(Buffer.from('ssh-rsa')),
    field(positive(Buffer.from(e!, 'base64url'))),
    field(positive(Buffer.from(n!, 'base64url'))),
  ])
  const publicKey = `ssh-rsa ${blob.toString('base64')} Generated-by-Nova`
  return { privateKey, publicKey, fingerprint: md5Fingerprint(blob) }
}

// RFC 4251: a length of 32 bits, then the bytes.
function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

// A number whose first bit is set would read as negative.
const positive = (bytes: Buffer): Buffer =>
  bytes[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes

const colons = (hex: string): string => hex.match(/../g)!.join(':')
const md5Fingerprint = (blob: Buffer): string => colons(createHash('md5').update(blob).digest('hex'))

/** How many fields the key of each type has after its name. */
const keyTypes: Readonly<Record<string, number>> = {
  'ssh-rsa': 2,
  'ssh-dss': 4,
  'ssh-ed25519': 1,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
}

const unreadable = () =>
  new Fault('invalid', 'Keypair data is invalid: failed to generate fingerprint', { what: 'keypair' })

/** The MD5 fingerprint of `ssh-… AAAA… comment`; throws `invalid` for anything that is no such key. */
export function sshFingerprint(publicKey: string): string {
  const [type, data] = publicKey.trim().split(/\s+/)
  const count = keyTypes[type ?? '']
  if (count === undefined || data === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) throw unreadable()
  const blob = Buffer.from(data, 'base64')
  const fields = fieldsOf(blob)
  if (fields.length !== count + 1 || fields[0]!.toString() !== type) throw unreadable()
  if (fields.some((bytes) => bytes.length === 0)) throw unreadable()
  return md5Fingerprint(blob)
}

function fieldsOf(blob: Buffer): Buffer[] {
  const fields: Buffer[] = []
  for (let at = 0; at < blob.length; ) {
    if (at + 4 > blob.length) throw unreadable()
    const end = at + 4 + blob.readUInt32BE(at)
    if (end > blob.length) throw unreadable()
    fields.push(blob.subarray(at + 4, end))
    at = end
  }
  return fields
}

/** The SHA-1 fingerprint of a certificate in PEM. */
export function x509Fingerprint(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint.toLowerCase()
  } catch (error) {
    throw new Fault(
      'invalid',
      `Keypair data is invalid: failed to generate X509 fingerprint. Error message: ${(error as Error).message}`,
      {},
      error,
    )
  }
}
