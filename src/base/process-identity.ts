/** Processes by a name that no other has had or will have, so that what a dead one held is told from what a living one holds. */
import { readFileSync, readlinkSync } from 'node:fs'

interface Identity {
  /** Processes see each other by number within one namespace only. */
  namespace: string
  pid: number
  /** Clock ticks from the machine's start to the process's: numbers are given again. */
  started: string
}

const startedAt = (pid: number): string | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The program's name, in brackets, may hold anything; the start is the 22nd field.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function namespaceOf(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')
  } catch {
    return ''
  }
}

/** `4711.123456.4026531836` */
export const ownIdentity = (): string => `${process.pid}.${startedAt(process.pid) ?? ''}.${namespaceOf()}`

/** True only when the process is certainly no more; that of another namespace or machine is left to its leases. */
export function isDead(identity: string): boolean {
  const known = parse(identity)
  if (known === undefined || known.namespace === '' || known.namespace !== namespaceOf()) return false
  return startedAt(known.pid) !== known.started
}

function parse(text: string): Identity | undefined {
  const [pid, started, namespace] = text.split('.')
  if (!/^\d+$/.test(pid ?? '') || started === undefined || namespace === undefined) return undefined
  return { pid: Number(pid), started, namespace }
}
