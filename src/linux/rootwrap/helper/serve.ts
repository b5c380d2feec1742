/** The helper's work: reads requests, decides, runs, answers. It is done when its parent's end of the pipe is closed. */
import type { Readable, Writable } from 'node:stream'
import { collect } from '../../collect.ts'
import type { Answer, Project, Request } from '../protocol.ts'
import { consoleTail, NotRead } from './console-tail.ts'
import { type Caller, decide, environment } from './decide.ts'

/** More than any host's rules; a parent that sends more in one line is no program of ours. */
const longestLine = 64 * 1024 * 1024
/** Further requests wait in the pipe. */
const mostAtOnce = 32
/** As much of what was denied as is told. */
const longestTold = 500

export interface Serving {
  project: Project
  caller: Caller | undefined
  requests: Readable
  answers: Writable
  /** Tells of what was denied, besides the answer; a line without control characters. */
  tell(line: string): Promise<void>
}

/** Resolves when no more requests come and all are answered. */
export async function serve(serving: Serving): Promise<void> {
  const running = new Set<Promise<unknown>>()
  // A parent that is gone reads no answers.
  serving.answers.on('error', () => undefined)
  for await (const line of linesOf(serving.requests)) {
    const request = requestOf(line)
    if (request === undefined) {
      await serving.tell(`denied: this is no request: ${JSON.stringify(line.slice(0, longestTold))}`)
      break
    }
    const work = handle(serving, request)
      .then((answer) => serving.answers.write(`${JSON.stringify(answer)}\n`))
      .finally(() => running.delete(work))
    running.add(work)
    if (running.size >= mostAtOnce) await Promise.race(running)
  }
  await Promise.all(running)
}

async function handle({ project, caller, tell }: Serving, request: Request): Promise<Answer> {
  const { id, timeoutSeconds } = request
  const decision = decide(project, caller, request)
  if ('denied' in decision) {
    const { command, args, netns } = request
    const asked = JSON.stringify([command, ...args]).slice(0, longestTold)
    const where = netns === undefined ? '' : ` in ${JSON.stringify(netns.slice(0, longestTold))}`
    await tell(`denied: ${asked}${where}: ${JSON.stringify(decision.denied.slice(0, longestTold))}`)
    return { id, denied: decision.denied }
  }
  try {
    if ('console' in decision) {
      const stdout = await consoleTail(decision.console, decision.length)
      return { id, code: 0, stdout, stderr: '' }
    }
    const { file, args, input } = decision
    return { id, ...(await collect(file, args, { input, timeoutSeconds, env: environment })) }
  } catch (error) {
    const { message } = error as Error
    if (error instanceof NotRead) await tell(`denied: ${JSON.stringify(message)}`)
    return {
      id,
      failed: 'console' in decision ? `could not be read: ${message}` : `could not be started: ${message}`,
    }
  }
}

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...parts, chunk.subarray(start, end)]).toString()
      parts = []
      length = 0
      start = end + 1
    }
    if (start < chunk.length) parts.push(chunk.subarray(start))
    length += chunk.length - start
    if (length > longestLine) return
  }
}

/** Undefined when the line is anything else. */
function requestOf(line: string): Request | undefined {
  let value: Partial<Record<keyof Request, unknown>> | null
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { id, command, args, input, netns, timeoutSeconds } = value
  if (typeof id !== 'number' || typeof command !== 'string' || !Array.isArray(args)) return undefined
  if (!args.every((word) => typeof word === 'string')) return undefined
  if (input !== undefined && typeof input !== 'string') return undefined
  if (netns !== undefined && typeof netns !== 'string') return undefined
  if (timeoutSeconds !== undefined && !(typeof timeoutSeconds === 'number' && timeoutSeconds > 0))
    return undefined
  return { id, command, args, input, netns, timeoutSeconds }
}
