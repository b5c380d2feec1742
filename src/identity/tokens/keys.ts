/**
 * The keys that sign tokens, one file each in a directory of its own, as in a fernet key repository: the highest number
 * signs, all verify, and 0 is what the next rotation makes the highest. A service on another machine is given a copy.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '#base/clock.ts'
import { Fault } from '#base/errors.ts'
import { type Claims, decodeClaims, encodeClaims } from './claims.ts'

const signatureLength = 32

export class TokenKeys {
  readonly #directory: string
  readonly #clock: Clock
  /** The one that signs comes first. */
  #keys: Buffer[]
  #readAt: number

  /** Opens the directory, and makes it with its first keys when it is not there. */
  constructor(directory: string, clock: Clock = systemClock) {
    this.#directory = directory
    this.#clock = clock
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    chmodSync(directory, 0o700)
    if (numbersIn(directory).length === 0) makeKeys(directory)
    this.#keys = readKeys(directory)
    this.#readAt = clock.now()
  }

  /** A token's text. */
  sign(claims: Claims): string {
    const bytes = encodeClaims(claims)
    return Buffer.concat([bytes, signature(this.#keys[0]!, bytes)]).toString('base64url')
  }

  /** What a token says, or undefined when no key of ours signed it. Whether it has run out is not looked at. */
  read(token: string): Claims | undefined {
    if (token.length > 2000) return undefined
    const bytes = Buffer.from(token, 'base64url')
    // A text that decodes to the same bytes is not the same token: it would escape a cache by text.
    if (bytes.length <= signatureLength || bytes.toString('base64url') !== token) return undefined
    const body = bytes.subarray(0, -signatureLength)
    const signed = bytes.subarray(-signatureLength)
    const isOurs = (): boolean => this.#keys.some((key) => timingSafeEqual(signature(key, body), signed))
    if (isOurs() || (this.#reread() && isOurs())) return decodeClaims(body)
    return undefined
  }

  /** Makes the staged key the one that signs, stages a new one, and drops the oldest beyond `kept`. */
  rotate(kept = 3): void {
    const numbers = numbersIn(this.#directory)
    const next = Math.max(...numbers) + 1
    if (numbers.includes(0)) renameSync(join(this.#directory, '0'), join(this.#directory, String(next)))
    else writeKey(this.#directory, next)
    writeKey(this.#directory, 0)
    const old = numbersIn(this.#directory).filter((number) => number !== 0)
    for (const number of old.slice(0, Math.max(0, old.length - (kept - 1)))) {
      unlinkSync(join(this.#directory, String(number)))
    }
    this.#keys = readKeys(this.#directory)
  }

  // Another process may have rotated; looking once a second keeps forged tokens from costing more than a hash.
  #reread(): boolean {
    if (this.#clock.now() - this.#readAt < 1000) return false
    this.#readAt = this.#clock.now()
    this.#keys = readKeys(this.#directory)
    return true
  }
}

const signature = (key: Buffer, bytes: Buffer): Buffer => createHmac('sha256', key).update(bytes).digest()

const numbersIn = (directory: string): number[] =>
  readdirSync(directory)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)

function writeKey(directory: string, number: number): void {
  writeFileSync(join(directory, String(number)), randomBytes(32).toString('base64url'), {
    mode: 0o600,
    flag: 'wx',
  })
}

// Of processes that start at once one makes the keys, each whole from its first moment: who brings 1, which signs.
function makeKeys(directory: string): void {
  const draft = join(directory, `.new-${process.pid}`)
  mkdirSync(draft, { recursive: true, mode: 0o700 })
  for (const number of [0, 1]) {
    rmSync(join(draft, String(number)), { force: true })
    writeKey(draft, number)
  }
  for (const number of [1, 0]) {
    try {
      linkSync(join(draft, String(number)), join(directory, String(number)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      break
    }
  }
  rmSync(draft, { recursive: true, force: true })
}

function readKeys(directory: string): Buffer[] {
  return numbersIn(directory)
    .reverse()
    .map((number) => {
      const path = join(directory, String(number))
      const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url')
      if (key.length >= 32) return key
      throw new Fault('invalid', `The token key ${path} is too short: it must be 32 bytes as base64.`, {
        path,
      })
    })
}
