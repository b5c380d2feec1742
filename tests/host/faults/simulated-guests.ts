import { existsSync, readFileSync } from 'node:fs'

/** Ids of the guests of a simulated host, as its file says. */
export function readGuestJournal(path: string): string[] {
  const guests = new Set<string>()
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  for (const line of lines) {
    const { guest, gone } = JSON.parse(line)
    if (gone === undefined) guests.add(guest.uuid)
    else guests.delete(gone)
  }
  return [...guests]
}
