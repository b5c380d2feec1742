/** Structured logs: one JSON object a line, the request id on every line, secrets never. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Logger as PinoLogger, pino } from 'pino'

export type Logger = PinoLogger

/** What every line within a request or a flow says about where it comes from. */
export interface LogContext {
  requestId?: string
  projectId?: string
  userId?: string
  serverId?: string
}

const current = new AsyncLocalStorage<LogContext>()

/** Runs `work` with these facts on every log line written inside it. */
export const withLogContext = <T>(context: LogContext, work: () => T): T =>
  current.run({ ...current.getStore(), ...context }, work)

/** The request id that the running code works for, if any. */
export const currentRequestId = (): string | undefined => current.getStore()?.requestId

const secretKeys = new Set([
  'password',
  'adminPass',
  'token',
  'secret',
  'private_key',
  'authorization',
  'user_data',
  'x-auth-token',
])

// Two levels by hand: pino's own redaction, which takes paths of any depth, costs several times the rest of a line.
function masked(fields: Record<string, unknown>, depth = 0): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined
  for (const key in fields) {
    const value = fields[key]
    const shown = secretKeys.has(key) ? '***' : depth === 0 && isPlain(value) ? masked(value, 1) : value
    if (shown === value) continue
    copy ??= { ...fields }
    copy[key] = shown
  }
  return copy ?? fields
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype

/** A root logger. `destination` is a file path (made 0600) or undefined for standard output. */
export function createLogger(options: { level?: string; destination?: string } = {}): Logger {
  const settings = {
    level: options.level ?? 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => masked(fields),
    },
    mixin: () => current.getStore() ?? {},
  }
  if (options.destination === undefined) return pino(settings)
  return pino(settings, pino.destination({ dest: options.destination, mkdir: true, mode: 0o600, sync: true }))
}

/** Says nothing: for tests. */
export const silentLogger: Logger = pino({ level: 'silent' })
