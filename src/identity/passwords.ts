/** Passwords as scrypt hashes in passlib's form, `$scrypt$ln=14,r=8,p=1$salt$key`, worked out in the thread pool. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { Fault } from '#base/errors.ts'

/** keystone's `max_password_length`; more is refused so that nobody makes us hash megabytes. */
const longest = 4096

const form = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** False for a wrong password and, after as long a time, when there is no hash to compare with. */
  verify(password: string, hash: string | null | undefined): Promise<boolean>
}

/** `rounds` is the binary logarithm of scrypt's cost. */
export function createPasswordHasher(options: { rounds?: number } = {}): PasswordHasher {
  const rounds = options.rounds ?? 14
  let decoy: Promise<string> | undefined
  const hash = async (password: string): Promise<string> => {
    if (password.length > longest) {
      throw new Fault(
        'forbidden',
        `The password length must be less than or equal to ${longest}. The server could not comply with the request because the password is invalid.`,
      )
    }
    const salt = randomBytes(16)
    const key = await derive(password, salt, 32, { N: 2 ** rounds, r: 8, p: 1 })
    return `$scrypt$ln=${rounds},r=8,p=1$${unpadded(salt)}$${unpadded(key)}`
  }
  return {
    hash,
    async verify(password, stored) {
      if (password.length > longest) return false
      decoy ??= hash(randomBytes(8).toString('hex'))
      const parts = form.exec(stored ?? (await decoy))
      if (parts === null) throw new Fault('bug', 'A stored password hash is in a form that is not known.')
      const [, ln, r, p, salt, key] = parts as unknown as [string, string, string, string, string, string]
      const wanted = Buffer.from(key, 'base64')
      const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p) }
      const given = await derive(password, Buffer.from(salt, 'base64'), wanted.length, cost)
      return timingSafeEqual(given, wanted) && stored !== null && stored !== undefined
    },
  }
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

function derive(
  password: string,
  salt: Buffer,
  length: number,
  cost: { N: number; r: number; p: number },
): Promise<Buffer> {
  const options: ScryptOptions = { ...cost, maxmem: 1_048_576 + 256 * cost.N * cost.r }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}
