/** Encrypts what must be read again in clear, such as EC2 secrets: AES-256-GCM with a key beside the token keys. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '#base/errors.ts'

export interface CredentialCipher {
  encrypt(text: string): string
  decrypt(stored: string): string
}

/** The key is made on first use; without it stored credentials are lost, so it belongs in a backup. */
export function openCredentialCipher(keyDirectory: string): CredentialCipher {
  const path = join(keyDirectory, 'credential-key')
  mkdirSync(keyDirectory, { recursive: true, mode: 0o700 })
  if (!existsSync(path)) makeKey(path)
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url')
  return {
    encrypt(text) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), bytes]).toString('base64')
    },
    decrypt(stored) {
      const bytes = Buffer.from(stored, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
      decipher.setAuthTag(bytes.subarray(12, 28))
      try {
        return decipher.update(bytes.subarray(28)).toString() + decipher.final('utf8')
      } catch (error) {
        throw new Fault('bug', 'A stored credential cannot be decrypted with the key here.', { path }, error)
      }
    },
  }
}

// Of processes that start at once one makes the key, whole from the first moment; the others read it.
function makeKey(path: string): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, randomBytes(32).toString('base64url'), { mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}
