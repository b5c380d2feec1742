/**
 * The guests of a simulated host in one file, so that they live on when the program is killed. Each line is a guest as
 * it became, or says that one is gone; the last line of each counts.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

type Line<G> = { guest: G } | { gone: string }

/** More lines than this for each guest, and a few: the file is written anew. */
const linesPerGuest = 4
const spareLines = 1000

export class GuestJournal<G extends { uuid: string }> implements Disposable {
  readonly #path: string
  readonly #guests: Map<string, G>
  #file: number
  #lines: number

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    this.#path = join(directory, 'guests')
    this.#guests = readGuests(this.#path)
    this.#file = this.#writeAnew()
    this.#lines = this.#guests.size
  }

  guests(): G[] {
    return [...this.#guests.values()]
  }

  keep(guest: G): void {
    this.#guests.set(guest.uuid, guest)
    this.#append({ guest })
  }

  forget(uuid: string): void {
    this.#guests.delete(uuid)
    this.#append({ gone: uuid })
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }

  #append(line: Line<G>): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
    this.#lines++
    if (this.#lines <= spareLines + linesPerGuest * this.#guests.size) return
    closeSync(this.#file)
    this.#file = this.#writeAnew()
    this.#lines = this.#guests.size
  }

  #writeAnew(): number {
    const fresh = `${this.#path}.new`
    const file = openSync(fresh, 'w', 0o600)
    for (const guest of this.#guests.values()) writeSync(file, `${JSON.stringify({ guest })}\n`)
    renameSync(fresh, this.#path)
    return file
  }
}

function readGuests<G extends { uuid: string }>(path: string): Map<string, G> {
  const guests = new Map<string, G>()
  if (!existsSync(path)) return guests
  for (const text of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
    const line = JSON.parse(text) as Line<G>
    if ('gone' in line) guests.delete(line.gone)
    else guests.set(line.guest.uuid, line.guest)
  }
  return guests
}
