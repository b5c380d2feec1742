/** Names, hostnames and passwords of new servers. */
import { randomInt } from 'node:crypto'

/** `web-1`, `web-2`, … when there are several. */
export const displayName = (name: string, index: number, count: number): string =>
  count > 1 ? `${name}-${index + 1}` : name

/** A name as a hostname: lower case letters, digits and dashes, at most 63. */
export function hostnameOf(name: string, uuid: string): string {
  const cleaned = name
    .normalize('NFKD')
    .replace(/[ _.]/g, '-')
    .replace(/[^A-Za-z0-9-]/g, '')
    .toLowerCase()
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '')
  return cleaned === '' ? `server-${uuid}` : cleaned
}

// Without those that look alike.
const passwordLetters = ['23456789', 'ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnopqrstuvwxyz']

/** Twelve letters and digits, at least one of each kind. */
export function newPassword(length = 12): string {
  const pick = (letters: string) => letters[randomInt(letters.length)]!
  const letters = passwordLetters.map(pick)
  while (letters.length < length) letters.push(pick(passwordLetters.join('')))
  for (let at = letters.length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1)
    ;[letters[at], letters[other]] = [letters[other]!, letters[at]!]
  }
  return letters.join('')
}

/** `r-` and eight letters or digits. */
export const newReservationId = (): string => `r-${newPassword(8).toLowerCase()}`
