/**
 * The privileged helper: the only part of the programs of a host that is root. A program that is not starts it, by
 * sudo, and asks it for single commands over its standard input. What it may have done stands in `lists.ts`; a program
 * that somebody took over gets no more than that. It reads no configuration, and imports nothing but Node and what is
 * beside it. Usage: kilonova-rootwrap neutron|nova
 */
import { execFile } from 'node:child_process'
import type { Project } from '../protocol.ts'
import { type Caller, environment } from './decide.ts'
import { lists } from './lists.ts'
import { serve } from './serve.ts'

const [project, ...more] = process.argv.slice(2)
if (project === undefined || !Object.hasOwn(lists, project) || more.length > 0) {
  console.error(`Usage: kilonova-rootwrap ${Object.keys(lists).join('|')}`)
  process.exit(2)
}

// The end is when the parent is gone, not when somebody presses Ctrl-C to end the parent in good order.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => undefined)

await serve({
  project: project as Project,
  caller: callerOf(process.env),
  requests: process.stdin,
  answers: process.stdout,
  tell,
})

/** sudo says who asks; its environment is not the caller's to choose. */
function callerOf({ SUDO_UID, SUDO_GID }: NodeJS.ProcessEnv): Caller | undefined {
  const [uid, gid] = [Number(SUDO_UID), Number(SUDO_GID)]
  return uid > 0 && gid > 0 ? { uid, gid } : undefined
}

/** To the parent's log, and to the host's, which the parent's user cannot change. */
function tell(line: string): Promise<void> {
  const text = `${project}, asked by uid ${process.env['SUDO_UID'] ?? 'unknown'}: ${line}`
  process.stderr.write(`kilonova-rootwrap: ${text}\n`)
  const args = ['-p', 'authpriv.warning', '-t', 'kilonova-rootwrap', '--', text]
  return new Promise((resolve) => {
    // A host without a log of its own has the parent's.
    execFile('/usr/bin/logger', args, { env: environment, timeout: 5000 }, () => resolve())
  })
}
