/** Steps of long work, with the time each took; on a terminal the running one is shown in place. */
export interface Progress {
  /** Ends the running step and begins the next. */
  step(text: string): void
  /** Ends the running step. */
  done(): void
  /** Ends the running step as failed. */
  failed(): void
}

export function showProgress(out: NodeJS.WriteStream = process.stdout): Progress {
  let running: { text: string; started: number } | undefined
  const end = (mark: string) => {
    if (running === undefined) return
    const seconds = ((performance.now() - running.started) / 1000).toFixed(1)
    out.write(`${out.isTTY ? '\r\x1b[K' : ''}${mark} ${running.text} (${seconds} s)\n`)
    running = undefined
  }
  return {
    step(text) {
      end('✔')
      running = { text, started: performance.now() }
      if (out.isTTY) out.write(`… ${text}`)
    },
    done: () => end('✔'),
    failed: () => end('✘'),
  }
}
