/**
 * The unprivileged program's side of its helper: starts it when it is first needed, asks it for several commands at
 * once, and starts it again when it has ended.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Fault } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { RootHelper, RunResult } from '../run.ts'
import { lists } from './helper/lists.ts'
import type { Answer, Project, Request } from './protocol.ts'

/** What sudo is to run; the only thing that it must allow. */
export const helperProgram = join(import.meta.dirname, '../../../bin/kilonova-rootwrap')

export interface RootHelperOptions {
  project: Project
  /** How the helper is started: `[agent] root_helper`, or `root_helper_daemon` where that is set. */
  rootHelper: string
  log: Logger
  /** It ends what takes too long itself; one that has not answered so much later hangs. Default 60. */
  spareSeconds?: number
}

/** The programs of OpenStack that have this helper's part: files that name them mean ours here. */
const original = /rootwrap(-daemon)?$|^privsep-helper$/

/**
 * The command that starts the helper: `sudo` with what it is to run. What `root_helper` says after the name of
 * OpenStack's own helper is for that one.
 */
export function helperCommand(rootHelper: string, project: Project): string[] {
  const words = rootHelper.split(/\s+/).filter((word) => word !== '')
  const at = words.findIndex((word) => original.test(basename(word)))
  const start = at < 0 ? words : words.slice(0, at)
  // A question for a password would wait for an answer that nobody gives.
  if (basename(start[0] ?? '') === 'sudo' && !start.includes('-n')) start.splice(1, 0, '-n')
  return [...start, helperProgram, project]
}

interface Waiting {
  resolve(answer: Answer): void
  reject(error: Fault): void
}

/** A running helper. */
interface Started {
  child: ChildProcess
  waiting: Map<number, Waiting>
}

/** The helper of this process. Disposing of it lets it end what it does. */
export function rootHelper(options: RootHelperOptions): RootHelper & Disposable {
  const { project, rootHelper, log, spareSeconds = 60 } = options
  const [file = '', ...args] = helperCommand(rootHelper, project)
  const line = [file, ...args].join(' ')
  let current: Started | undefined
  let lastId = 0

  function start(): Started {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const started: Started = { child, waiting: new Map() }
    let said = ''
    createInterface({ input: child.stderr! }).on('line', (text) => {
      log.warn({ helper: text }, 'the privileged helper says')
      said = text
    })
    createInterface({ input: child.stdout! }).on('line', (text) => {
      const answer = answerOf(text)
      if (answer === undefined) {
        log.warn({ helper: text }, 'the privileged helper gives no answer, but this')
        said = text
        return
      }
      started.waiting.get(answer.id)?.resolve(answer)
      started.waiting.delete(answer.id)
    })
    // Its end is told by `close`.
    child.stdin!.on('error', () => undefined)
    const ended = (why: string) => {
      if (current === started) current = undefined
      for (const { reject } of started.waiting.values())
        reject(new Fault('unavailable', `The privileged helper (${line}) ${why}. See kilonova doctor.`))
      started.waiting.clear()
    }
    child.on('error', (error) => ended(`could not be started: ${error.message}`))
    child.on('close', (code, signal) => ended(`ended with ${signal ?? `code ${code}`}${said && `: ${said}`}`))
    log.debug({ command: line }, 'starting the privileged helper')
    return started
  }

  function ask(request: Request): Promise<Answer> {
    current ??= start()
    const started = current
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    started.waiting.set(request.id, { resolve, reject })
    started.child.stdin!.write(`${JSON.stringify(request)}\n`)
    const seconds = (request.timeoutSeconds ?? 60) + spareSeconds
    const timer = setTimeout(() => {
      // The next command has a new one; this one ends when it goes on.
      if (current === started) current = undefined
      started.child.stdin!.end()
      started.waiting.delete(request.id)
      reject(new Fault('unavailable', `The privileged helper (${line}) gave no answer in ${seconds} s.`))
    }, seconds * 1000)
    return promise.finally(() => clearTimeout(timer))
  }

  return {
    takes: (command) => Object.hasOwn(lists[project], command),
    async run(command, args, { input, netns, timeoutSeconds }): Promise<RunResult> {
      const answer = await ask({ id: ++lastId, command, args, input, netns, timeoutSeconds })
      if ('denied' in answer)
        throw new Fault('forbidden', `The privileged helper denies ${command}: ${answer.denied}`, {
          command,
          args,
        })
      if ('failed' in answer) throw new Fault('unavailable', `${command} ${answer.failed}`, { command })
      const { stdout, stderr, code } = answer
      return { stdout, stderr, code }
    },
    [Symbol.dispose]() {
      current?.child.stdin?.end()
      current = undefined
    },
  }
}

/** Undefined for what another program says, that was started in the helper's place. */
function answerOf(line: string): Answer | undefined {
  try {
    const value = JSON.parse(line) as Answer | null
    return typeof value?.id === 'number' ? value : undefined
  } catch {
    return undefined
  }
}
