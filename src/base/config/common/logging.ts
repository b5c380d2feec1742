/** oslo.log's options: where a program's log goes and how much it says. */
import { join } from 'node:path'
import { bool, type Config, optional, text } from '../option.ts'

export const loggingOptions = {
  debug: { name: 'debug', type: bool, default: false, help: 'Log what is of use for finding faults, too.' },
  logFile: {
    name: 'log_file',
    type: optional(text),
    default: null,
    help: 'File that the log is written to; relative to log_dir. Without it the log goes to standard error.',
    deprecated: ['logfile'],
  },
  logDir: {
    name: 'log_dir',
    type: optional(text),
    default: null,
    help: 'Directory of the log; without log_file the file is called as the program.',
    deprecated: ['logdir'],
  },
} as const

export interface Logging {
  level: 'debug' | 'info'
  /** Absent: standard error. */
  destination?: string
}

/** What `createLogger` takes; `program` names the file where only a directory is given. */
export function loggingOf(config: Config<typeof loggingOptions>, program: string): Logging {
  const level = config.debug ? 'debug' : 'info'
  const name = config.logFile ?? (config.logDir === null ? null : `${program}.log`)
  if (name === null) return { level }
  const inDirectory = config.logDir !== null && !name.startsWith('/')
  return { level, destination: inDirectory ? join(config.logDir, name) : name }
}
