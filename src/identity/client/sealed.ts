/**
 * What a cache that others can write to is trusted with: `memcache_security_strategy`. The keys are derived from the
 * secret and from the token, so whoever reads the whole cache learns neither tokens nor, with ENCRYPT, what they allow.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

export type Strategy =
  | { kind: 'none' }
  /** Entries are signed, or signed and encrypted. */
  | { kind: 'mac' | 'encrypt'; secret: string }

export interface Seal {
  /** Under which the entry of the token stands; 64 hex digits. */
  name: string
  close(text: string): Buffer
  /** Undefined for what another secret closed, or what was altered. */
  open(entry: Buffer): string | undefined
}

const ivBytes = 12
const tagBytes = 16
const macBytes = 32

export function sealFor(token: string, strategy: Strategy): Seal {
  if (strategy.kind === 'none') {
    return {
      name: createHash('sha256').update(token).digest('hex'),
      close: (text) => Buffer.from(text),
      open: (entry) => entry.toString(),
    }
  }
  const keys = Buffer.from(hkdfSync('sha256', strategy.secret, strategy.kind, token, 64))
  const [nameKey, key] = [keys.subarray(0, 32), keys.subarray(32)]
  return {
    name: nameKey.toString('hex'),
    ...(strategy.kind === 'mac' ? signed(key) : encrypted(key)),
  }
}

function signed(key: Buffer): Pick<Seal, 'close' | 'open'> {
  const mac = (text: Buffer): Buffer => createHmac('sha256', key).update(text).digest()
  return {
    close: (text) => Buffer.concat([mac(Buffer.from(text)), Buffer.from(text)]),
    open(entry) {
      if (entry.length < macBytes) return undefined
      const text = entry.subarray(macBytes)
      return timingSafeEqual(entry.subarray(0, macBytes), mac(text)) ? text.toString() : undefined
    },
  }
}

function encrypted(key: Buffer): Pick<Seal, 'close' | 'open'> {
  return {
    close(text) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      const secret = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), secret])
    },
    open(entry) {
      if (entry.length < ivBytes + tagBytes) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, entry.subarray(0, ivBytes))
      decipher.setAuthTag(entry.subarray(ivBytes, ivBytes + tagBytes))
      try {
        const text = decipher.update(entry.subarray(ivBytes + tagBytes))
        return Buffer.concat([text, decipher.final()]).toString()
      } catch {
        return undefined
      }
    },
  }
}
