/** Writes configuration files, but none over what somebody changed by hand. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { parseIni } from '../../base/config/ini.ts'
import { Fault } from '../../base/errors.ts'
import { masked } from '../config/lint/render.ts'
import type { HostFile } from './config-files.ts'

export interface WriteOptions {
  /** In place of `/etc`. */
  directory: string
  /** Hash of what was written before, by path; it takes those of what is written now. */
  written: Record<string, string>
  /** Write over changes made by hand; what was there is kept beside it. */
  force?: boolean
}

const placeOf = (path: string, directory: string): string => join(directory, path.replace(/^\/etc\//, ''))
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A Fault, before anything is written, tells what was changed by hand and what would become of it. */
export function refuseChangedByHand(files: readonly HostFile[], options: WriteOptions): void {
  const told = files.flatMap(({ path, text }) => {
    const place = placeOf(path, options.directory)
    return isByHand(path, text, options) ? [place, ...differences(readFileSync(place, 'utf8'), text)] : []
  })
  if (told.length === 0 || options.force === true) return
  throw new Fault(
    'conflict',
    `These files are not as kilonova init left them, and nothing was written. To write over them (each is kept as FILE.by-hand): --force\n${told.join('\n')}`,
  )
}

/** Writes what is other than wanted, each file for root and its service only; gives the paths of those it wrote. */
export function writeFiles(
  files: readonly HostFile[],
  options: WriteOptions,
): { wrote: string[]; missingGroups: string[] } {
  refuseChangedByHand(files, options)
  const groups = groupIds()
  const wrote: string[] = []
  const missing = new Set<string>()
  for (const { path, owner, text } of files) {
    const place = placeOf(path, options.directory)
    const group = owner === 'root' ? 0 : groups.get(owner)
    if (group === undefined) missing.add(owner)
    if (isByHand(path, text, options)) copyFileSync(place, `${place}.by-hand`)
    const isOther = !existsSync(place) || readFileSync(place, 'utf8') !== text
    if (isOther) wrote.push(place)
    mkdirSync(dirname(place), { recursive: true })
    const target = isOther ? `${place}.new` : place
    if (isOther) writeFileSync(target, text, { mode: 0o600 })
    // Without root's rights the files are the caller's own, to be looked at.
    if (process.getuid?.() === 0) chownSync(target, 0, group ?? 0)
    chmodSync(target, owner === 'root' || group === undefined ? 0o600 : 0o640)
    if (isOther) renameSync(target, place)
    options.written[path] = hashOf(text)
  }
  return { wrote, missingGroups: [...missing] }
}

function isByHand(path: string, wanted: string, { directory, written }: WriteOptions): boolean {
  const place = placeOf(path, directory)
  if (!existsSync(place)) return false
  const current = readFileSync(place, 'utf8')
  return current !== wanted && hashOf(current) !== written[path]
}

/** What goes and what comes, as lines of a diff without their secrets. */
export function differences(current: string, wanted: string): string[] {
  const [before, after] = [current, wanted].map(
    (text) => new Map(parseIni('', text).settings.map((one) => [`[${one.group}] ${one.name}`, one.value])),
  ) as [Map<string, string>, Map<string, string>]
  const lines = [...new Set([...before.keys(), ...after.keys()])].flatMap((key) => {
    const [old, now] = [before.get(key), after.get(key)]
    if (old === now) return []
    return [
      ...(old === undefined ? [] : [shown('-', key, old)]),
      ...(now === undefined ? [] : [shown('+', key, now)]),
    ]
  })
  return lines.length > 0 ? lines : ['  (only comments, or their order)']
}

function shown(sign: '-' | '+', key: string, value: string): string {
  const [group, name] = key.split('] ')
  return `  ${sign} ${group}] ${masked(`${name} = ${value}`)}`
}

function groupIds(): Map<string, number> {
  const rows = readFileSync('/etc/group', 'utf8').split('\n')
  return new Map(rows.map((row) => row.split(':')).map(([name = '', , id]) => [name, Number(id)]))
}
