/** What a primary and its workers tell each other. */
export type FromWorker =
  | { kind: 'waiting'; what: string | null }
  | { kind: 'ready' }
  | { kind: 'failed'; reason: string }
  | { kind: 'alive' }

export type ToWorker = { kind: 'stop' } | { kind: 'reload' }

export const aliveEverySeconds = 5
/** A worker that was not heard of for so long is stuck. */
export const stuckAfterSeconds = 60
