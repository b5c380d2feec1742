/** A key pair with a certificate that its user signs himself: what WinRM takes in place of an SSH key. */
import { createSign, generateKeyPair, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { type GeneratedKey, x509Fingerprint } from './ssh-key.ts'

const generate = promisify(generateKeyPair)
const yearsValid = 10

/** `openstack-<user>@localhost` is the name that WinRM maps to an account. */
export async function generateX509Key(userId: string): Promise<GeneratedKey> {
  const { privateKey, publicKey } = await generate('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  })
  const name = sequence(set(sequence(oid(0x55, 0x04, 0x03), utf8(userId))))
  const now = new Date()
  const end = new Date(now)
  end.setUTCFullYear(now.getUTCFullYear() + yearsValid)
  const serial = integer(Buffer.concat([Buffer.from([1]), randomBytes(15)]))
  const version3 = tagged(0xa0, integer(Buffer.from([2])))
  const body = sequence(
    version3,
    serial,
    sha256WithRsa,
    name,
    sequence(time(now), time(end)),
    name,
    publicKey,
    tagged(0xa3, sequence(clientUse, alternativeName(`openstack-${userId}@localhost`))),
  )
  const signature = createSign('sha256').update(body).sign(privateKey)
  const bits = tagged(0x03, Buffer.concat([Buffer.from([0]), signature]))
  const der = sequence(body, sha256WithRsa, bits)
  const lines = der.toString('base64').match(/.{1,64}/g)!
  const certificate = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  return { privateKey, publicKey: certificate, fingerprint: x509Fingerprint(certificate) }
}

// DER: a tag, a length, the bytes.
function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const bytes = Buffer.concat(parts)
  if (bytes.length < 0x80) return Buffer.concat([Buffer.from([tag, bytes.length]), bytes])
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([Buffer.from([tag, 0x82]), length, bytes])
}

const sequence = (...parts: Buffer[]) => tagged(0x30, ...parts)
const set = (...parts: Buffer[]) => tagged(0x31, ...parts)
const oid = (...bytes: number[]) => tagged(0x06, Buffer.from(bytes))
const integer = (bytes: Buffer) => tagged(0x02, bytes)
const utf8 = (text: string) => tagged(0x0c, Buffer.from(text))
const octets = (bytes: Buffer) => tagged(0x04, bytes)

// Two digits of the year: enough until 2049.
const time = (date: Date) =>
  tagged(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`))

const sha256WithRsa = sequence(oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b), Buffer.from([5, 0]))

// Extended key usage: authenticating a client.
const clientUse = sequence(
  oid(0x55, 0x1d, 0x25),
  octets(sequence(oid(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02))),
)

// Microsoft's user principal name, as an "other name".
const principalName = oid(0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x03)
const alternativeName = (name: string) =>
  sequence(oid(0x55, 0x1d, 0x11), octets(sequence(tagged(0xa0, principalName, tagged(0xa0, utf8(name))))))
