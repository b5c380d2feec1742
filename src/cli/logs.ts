/** Shows the log of a cloud as lines for people. */
import { createReadStream, existsSync, statSync, watch } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Fault } from '../base/errors.ts'
import { layout, requireSettings } from './up/settings.ts'

interface LogOptions {
  stateDir: string
  service?: string
  follow?: boolean
  lines: number
}

export async function logs(options: LogOptions): Promise<number | undefined> {
  const stateDir = resolve(options.stateDir)
  requireSettings(stateDir)
  const file = layout(stateDir).log
  if (!existsSync(file)) throw new Fault('not-found', `There is no log yet: ${file}`)
  const last: string[] = []
  let position = await readFrom(file, 0, (line) => {
    const text = present(line, options.service)
    if (text === undefined) return
    last.push(text)
    if (last.length > options.lines) last.shift()
  })
  for (const line of last) console.log(line)
  if (options.follow !== true) return 0
  let reading = Promise.resolve()
  watch(file, () => {
    reading = reading.then(async () => {
      if (statSync(file).size < position) position = 0
      position = await readFrom(file, position, (line) => {
        const text = present(line, options.service)
        if (text !== undefined) console.log(text)
      })
    })
  })
  return undefined
}

async function readFrom(file: string, start: number, onLine: (line: string) => void): Promise<number> {
  const end = statSync(file).size
  if (end <= start) return start
  const lines = createInterface({
    input: createReadStream(file, { start, end: end - 1 }),
    crlfDelay: Number.POSITIVE_INFINITY,
  })
  for await (const line of lines) onLine(line)
  return end
}

/** One JSON line as text; undefined when it is of another service. */
export function present(line: string, service: string | undefined): string | undefined {
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(line)
  } catch {
    return line
  }
  const { time, level, msg, service: from, api, requestId, err, ...facts } = entry
  const source = String(from ?? api ?? '-')
  if (service !== undefined && source !== service && !source.startsWith(`${service}.`)) return undefined
  const details = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const cause =
    err === undefined ? [] : [`error: ${(err as { message?: string }).message ?? JSON.stringify(err)}`]
  const id = requestId === undefined ? [] : [`[${requestId}]`]
  return [time, String(level).toUpperCase(), source, ...id, msg, ...details, ...cause].join(' ')
}
