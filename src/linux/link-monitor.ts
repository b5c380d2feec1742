/** Tells when devices come, go or change: as fast as the kernel says so, and without polling. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Logger } from '../base/log.ts'

/** Calls `onChange` with the name of each device the kernel reports. Restarts its process when that ends. */
export function watchLinks(log: Logger, onChange: (name: string) => void): AsyncDisposable {
  const stopping = new AbortController()
  let ended = start()

  function start(): Promise<void> {
    const child = spawn('ip', ['-oneline', 'monitor', 'link'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
      signal: stopping.signal,
      killSignal: 'SIGKILL',
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      const name = deviceOf(line)
      if (name !== undefined) onChange(name)
    })
    return new Promise((resolve) => {
      child.on('error', (error) => {
        if (!stopping.signal.aborted) log.warn({ error: error.message }, 'ip monitor could not be started')
      })
      child.on('close', (code) => {
        if (!stopping.signal.aborted) {
          log.warn({ code }, 'ip monitor ended; starting it again')
          setTimeout(() => {
            if (!stopping.signal.aborted) ended = start()
          }, 1000).unref()
        }
        resolve()
      })
    })
  }

  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await ended
    },
  }
}

/** The device a line of `ip -oneline monitor link` is about: `Deleted 3: tap12@if2: <…`. */
export function deviceOf(line: string): string | undefined {
  return /^(?:Deleted )?\d+: ([^:@\s]+)/.exec(line)?.[1]
}
