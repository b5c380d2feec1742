/**
 * Work across hosts and processes that is written down before it is done.
 *
 * A flow is a list of named steps. Its row in the table `flows` is made in the same transaction as the request that
 * wants it, and is its lease: one runner at a time owns it. What a step returns is stored before the next step begins,
 * so that after a crash any runner goes on from the written step; after a step that says `unsaved` it is stored with the
 * next one's, and both run again. When a step fails, the steps are undone in reverse,
 * the failed one first, since it may have done a part of its work; then `onFailure` tells the user, and the row goes.
 *
 * Hence `run` and `undo` may each run twice, and `undo` may run when `run` never did or did half. What `run` returned
 * is then not known: an undo finds what it must remove by the subject's id, not only by the outputs.
 *
 * Flows of one subject (`server:<uuid>`) run one after the other, in the order they were opened.
 */
import type { Db } from '../db/database.ts'
import type { Fault } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { FlowTables } from './store.ts'

export interface StepContext {
  /** The same each time the step runs: for what must be told apart from another flow's doing. */
  readonly flowId: number
  /** True when the step may have run before, wholly or in part: it then looks for what it left. */
  readonly again: boolean
  /** Aborts when the flow is cancelled or its runner stops; a step that waits must heed it. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** Reads what does not change while the flow runs, once for all of its steps. */
  remember<T>(name: string, read: () => Promise<T>): Promise<T>
  /**
   * Writes that the step is done, with what it is about to return, in a transaction of the flow's own database: one
   * commit for it and for what the step writes there. Nothing may be left to do for the step but to commit.
   */
  finish<T extends FlowTables>(transaction: Db<T>, output?: object): Promise<void>
}

/** A step may return nothing. */
type Merge<Values, Out> = Out extends object ? Values & Out : Values
type MaybeMerge<Values, Out> = Out extends object ? Values & Partial<Out> : Values

export interface Step<Values, Out, Deps> {
  readonly name: string
  /** What it returns, a JSON object, is merged into the values of the later steps. */
  run(values: Values, deps: Deps, context: StepContext): Promise<Out> | Out
  undo?(values: MaybeMerge<Values, Out>, deps: Deps, context: StepContext): unknown
  /** How often a step that fails with `unavailable` is tried again before that counts. */
  readonly retries?: number
  /** True: `unavailable` does not count even then. The flow goes on from this step later, ever more seldom. */
  readonly waits?: boolean
  /**
   * True: that it is done is written together with the next step only, which saves a commit. After a crash in the next
   * step it runs again, and the undo of the next may run without what this one returned.
   */
  readonly unsaved?: boolean
}

/** A step as the runner sees it. */
export interface ErasedStep<Deps> {
  readonly name: string
  run(values: never, deps: Deps, context: StepContext): unknown
  undo?(values: never, deps: Deps, context: StepContext): unknown
  readonly retries?: number
  readonly waits?: boolean
  readonly unsaved?: boolean
}

export interface ErasedFlow<Deps> {
  readonly kind: string
  readonly steps: readonly ErasedStep<Deps>[]
  readonly failed: ((values: never, deps: Deps, error: Fault, context: StepContext) => unknown) | undefined
}

export interface Flow<Input, Deps, Values = Input> extends ErasedFlow<Deps> {
  step<Out>(step: Step<Values, Out, Deps>): Flow<Input, Deps, Merge<Values, Out>>
  /**
   * Runs once all is undone: tells the user why. A flow that was cancelled has a fault of kind `gone`. It may run
   * twice, too.
   */
  onFailure(
    failed: (values: Input & Partial<Values>, deps: Deps, error: Fault, context: StepContext) => unknown,
  ): Flow<Input, Deps, Values>
}

/** `flow<Input, Deps>('create-server').step({ name, run, undo }).step(…).onFailure(…)` */
export function flow<Input extends object, Deps>(kind: string): Flow<Input, Deps> {
  return build<Input, Deps, Input>(kind, [], undefined)
}

function build<Input, Deps, Values>(
  kind: string,
  steps: readonly ErasedStep<Deps>[],
  failed: ErasedFlow<Deps>['failed'],
): Flow<Input, Deps, Values> {
  return {
    kind,
    steps,
    failed,
    step<Out>(step: Step<Values, Out, Deps>) {
      return build<Input, Deps, Merge<Values, Out>>(
        kind,
        [...steps, step as unknown as ErasedStep<Deps>],
        failed,
      )
    },
    onFailure: (handler) => build(kind, steps, handler as ErasedFlow<Deps>['failed']),
  }
}

/**
 * Thrown by a step that can only succeed after an earlier one chooses anew: the steps back to the named one are undone,
 * `values` (such as the hosts to leave out) are merged in, and the flow runs on from there.
 */
export class RetryFrom extends Error {
  readonly step: string
  readonly values: Readonly<Record<string, unknown>>

  constructor(step: string, values: Record<string, unknown>, cause: unknown) {
    super(`goes back to ${step}`, { cause })
    this.name = 'RetryFrom'
    this.step = step
    this.values = values
  }
}
