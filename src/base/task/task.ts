/** A reconciler: compares what is wanted with what is there and acts on the difference. Its run takes no input. */
export interface Task {
  name: string
  everySeconds: number
  /** After a run that failed: what it needs may be there again soon. `everySeconds` unless given. */
  retrySeconds?: number
  run(): Promise<void>
}

export interface RunningTasks extends AsyncDisposable {
  /** Runs a task soon; wakes that come while it runs become one further run. */
  wake(name: string): void
  /** Runs a task now and waits for it: for tests and for the end of a start-up. */
  runNow(name: string): Promise<void>
}
