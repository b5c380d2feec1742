/** What a program is to the code that runs it. */
import type { PolicyOverrides } from '../../base/auth/policy/policy-file.ts'
import type { Config, Options } from '../../base/config/option.ts'
import type { Logger } from '../../base/log.ts'

export interface DaemonContext<O extends Options = Options> {
  /** `nova-api` */
  program: string
  config: Config<O>
  /** What the files say now. */
  readAgain(): Config<O>
  policyOverrides: PolicyOverrides
  log: Logger
  /** Says what the program waits for, and `null` when it goes on: `systemctl status` shows it. */
  onWait(what: string | null): void
  /** Aborts when the program is to stop before it has started. */
  signal: AbortSignal
}

/** A program that runs. Disposing it ends what it does; guests and networks stay. */
export interface Daemon extends AsyncDisposable {
  /** Answers what was asked, and takes nothing new; before it is disposed of. */
  drain?(): Promise<void>
}

export type StartDaemon<O extends Options> = (context: DaemonContext<O>) => Promise<Daemon>

/** How long what is in flight may take when a program stops: `graceful_shutdown_timeout`. */
export const gracefulSeconds = 60
