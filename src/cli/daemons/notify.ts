/**
 * sd_notify(3): systemd is told that the program is ready, waits or stops, and that it is not stuck. Node can open no
 * datagram socket of the Unix family, so that the message goes through `systemd-notify`, which is there where systemd
 * is; units have `NotifyAccess=all` for it.
 */
import { execFile } from 'node:child_process'
import type { Logger } from '../../base/log.ts'

export interface Notifier extends Disposable {
  ready(): void
  /** A line for `systemctl status`. */
  status(text: string): void
  reloading(): void
  stopping(): void
}

/** For a program that systemd did not start it does nothing. `isAlive` is asked before each sign of life. */
export function createNotifier(
  log: Logger,
  environment: NodeJS.ProcessEnv = process.env,
  isAlive: () => boolean = () => true,
): Notifier {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog } = environment
  let last: Promise<void> = Promise.resolve()
  const send = (...assignments: string[]): void => {
    if (socket === undefined || socket === '') return
    // In order: READY must not overtake the status before it.
    last = last.then(() => tell(assignments))
  }
  const tell = (assignments: string[]) =>
    new Promise<void>((resolve) => {
      execFile('systemd-notify', assignments, { env: environment, timeout: 5000 }, (error) => {
        if (error !== null)
          log.warn({ reason: error.message }, 'systemd could not be told how the program is')
        resolve()
      })
    })
  const microseconds = Number(watchdog)
  const timer =
    socket !== undefined && microseconds > 0
      ? setInterval(() => isAlive() && send('WATCHDOG=1'), microseconds / 2000).unref()
      : undefined
  return {
    ready: () => send('READY=1', 'STATUS=running'),
    status: (text) => send(`STATUS=${text}`),
    reloading: () => send('RELOADING=1'),
    stopping: () => send('STOPPING=1', 'STATUS=answering what was asked'),
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
