/** One flow from where its row says it stands to its end: runs its steps, or undoes them. */
import { sleep, timestamp } from '../clock.ts'
import type { Db } from '../db/database.ts'
import { Fault, type FaultKind, isFault } from '../errors.ts'
import type { Logger } from '../log.ts'
import { type ErasedFlow, RetryFrom, type StepContext } from './flow.ts'
import {
  endFlow,
  type FlowRow,
  type FlowState,
  type FlowTables,
  flowDb,
  free,
  notBegun,
  releaseFlow,
  saveFlow,
  saveProgress,
} from './store.ts'

/** ended: its row is gone. lost: another holds it, or the runner stops. later: an undo failed and waits for its turn. */
export type Outcome = 'ended' | 'lost' | 'later'

/** Why a step's signal aborts when its runner stops: nothing is undone, the next runner goes on. */
export const stopping = new Fault('unavailable', 'The service is stopping.')

/** How long a flow waits after so many undos that failed in a row. */
export const backoffSeconds = (attempts: number): number => Math.min(60, 2 ** (attempts - 1))

export interface FlowRun<Deps> {
  db: Db<FlowTables>
  flow: ErasedFlow<Deps>
  row: FlowRow
  owner: string
  deps: Deps
  log: Logger
  signal: AbortSignal
}

interface Retry {
  step: string
  values: Record<string, unknown>
}

export async function runFlow<Deps>(options: FlowRun<Deps>): Promise<Outcome> {
  return await new FlowExecution(options).go()
}

const lost = Symbol('lost')

class FlowExecution<Deps> {
  readonly #o: FlowRun<Deps>
  readonly #context: StepContext
  readonly #input: object
  #state: FlowState
  /** Index of the step to run, or to undo; -1 when all are undone. */
  #at: number
  #outputs: Record<string, object>
  #error: Fault | undefined
  #retry: Retry | undefined
  /** Steps that a dead runner may have been in. */
  readonly #begun: ReadonlySet<string>
  /** The step that runs has written itself that it is done. */
  #finished = false

  constructor(options: FlowRun<Deps>) {
    const { row, flow } = options
    this.#o = options
    this.#context = {
      flowId: row.id,
      again: false,
      signal: options.signal,
      log: options.log,
      remember: memory(),
      finish: (transaction, output) => this.#finish(flowDb(transaction), output),
    }
    this.#input = JSON.parse(row.input)
    this.#outputs = JSON.parse(row.outputs)
    this.#state = row.state
    const written = indexOf(flow, row.step, row.state)
    const reached = row.step === notBegun ? written : lastBegun(flow, written)
    this.#at = row.state === 'running' ? written : reached
    this.#begun = new Set(
      row.step === notBegun
        ? []
        : flow.steps.slice(Math.max(0, written), reached + 1).map(({ name }) => name),
    )
    this.#error = row.error === null ? undefined : readFault(row.error)
    this.#retry = row.retry === null ? undefined : JSON.parse(row.retry)
  }

  async go(): Promise<Outcome> {
    try {
      while (true) {
        const done = this.#state === 'running' ? await this.#forward() : await this.#back()
        if (done) return 'ended'
      }
    } catch (error) {
      if (error === lost) return 'lost'
      if (this.#o.signal.aborted && this.#o.signal.reason === stopping) {
        await this.#release(0)
        return 'lost'
      }
      const attempts = await this.#release(this.#o.row.attempts + 1)
      const { log, row } = this.#o
      log.error(
        { err: error, flow: row.kind, subject: row.subject, attempts },
        this.#state === 'running'
          ? 'a flow waits for what does not answer; tried again'
          : 'undoing a flow failed; tried again',
      )
      return 'later'
    }
  }

  /** Runs steps up to the end; false when the flow has to go back. */
  async #forward(): Promise<boolean> {
    const { steps } = this.#o.flow
    while (this.#at < steps.length) {
      const step = steps[this.#at]!
      let output: unknown
      try {
        this.#o.signal.throwIfAborted()
        output = await this.#run(step)
      } catch (error) {
        if (this.#o.signal.aborted && this.#o.signal.reason === stopping) throw error
        if (step.waits === true && isFault(error, 'unavailable')) throw error
        await this.#turnBack(error)
        return false
      }
      if (output !== undefined && output !== null) this.#outputs[step.name] = output as object
      if (this.#at === steps.length - 1) return await this.#end()
      const isWritten = this.#finished || step.unsaved === true
      if (!isWritten && !(await this.#saveStep(steps[this.#at + 1]!.name))) return false
      this.#at++
    }
    return await this.#end()
  }

  async #run(step: ErasedFlow<Deps>['steps'][number]): Promise<unknown> {
    for (let tries = 0; ; tries++) {
      this.#finished = false
      try {
        const again = tries > 0 || this.#begun.has(step.name)
        return await step.run(this.#values() as never, this.#o.deps, { ...this.#context, again })
      } catch (error) {
        if (tries >= (step.retries ?? 0) || !isFault(error, 'unavailable')) throw error
        await sleep(200 * 2 ** tries, this.#o.signal)
      }
    }
  }

  async #finish(transaction: Db<FlowTables>, output?: object): Promise<void> {
    const { steps } = this.#o.flow
    const [step, next] = steps.slice(this.#at)
    // Nothing is written of the last one: the flow's end is.
    if (step === undefined || next === undefined) return
    const outputs = JSON.stringify(
      output === undefined ? this.#outputs : { ...this.#outputs, [step.name]: output },
    )
    const progress = { step: next.name, outputs, updated_at: timestamp() }
    this.#finished = await saveProgress(transaction, this.#held(), progress)
  }

  async #turnBack(error: unknown): Promise<void> {
    const { flow, row, log } = this.#o
    const step = flow.steps[this.#at]!.name
    const outputs = JSON.stringify(this.#outputs)
    if (error instanceof RetryFrom) {
      this.#retry = { step: error.step, values: { ...error.values } }
      log.info({ flow: row.kind, subject: row.subject, step, err: error.cause }, `goes back to ${error.step}`)
      await this.#save({ state: 'retrying', step, outputs, retry: JSON.stringify(this.#retry) })
      return
    }
    this.#error = toFault(error, step)
    log.info({ flow: row.kind, subject: row.subject, step, err: error }, 'a step failed: the flow is undone')
    await this.#save({ state: 'undoing', step, outputs, error: writeFault(this.#error) })
  }

  /** Undoes steps; true when the flow has come to its end, false when it runs on. */
  async #back(): Promise<boolean> {
    const { flow, deps, signal } = this.#o
    const { steps } = flow
    const target = this.#retry === undefined ? 0 : indexOf(flow, this.#retry.step, 'retrying')
    while (this.#at >= target) {
      if (signal.aborted && signal.reason === stopping) throw stopping
      const step = steps[this.#at]!
      await step.undo?.(this.#values() as never, deps, this.#undoContext())
      this.#at--
      if (step.undo === undefined && this.#at >= target) continue
      if (!(await this.#save({ step: steps[this.#at]?.name ?? '', attempts: 0 }))) return false
    }
    if (this.#retry !== undefined) return await this.#runOn(this.#retry, target)
    const error = this.#error ?? new Fault('bug', `The flow ${flow.kind} was undone without a reason.`)
    await flow.failed?.(this.#values() as never, deps, error, this.#undoContext())
    return await this.#end()
  }

  async #runOn(retry: Retry, target: number): Promise<boolean> {
    for (const step of this.#o.flow.steps.slice(target)) delete this.#outputs[step.name]
    this.#outputs[''] = { ...this.#outputs[''], ...retry.values }
    const outputs = JSON.stringify(this.#outputs)
    if (!(await this.#save({ state: 'running', step: retry.step, retry: null, outputs }))) return false
    this.#retry = undefined
    this.#at = target
    return false
  }

  async #end(): Promise<boolean> {
    if (await endFlow(this.#o.db, this.#held())) return true
    await this.#adopt()
    return false
  }

  async #saveStep(step: string): Promise<boolean> {
    const progress = { step, outputs: JSON.stringify(this.#outputs), updated_at: timestamp() }
    if (await saveProgress(this.#o.db, this.#held(), progress)) return true
    await this.#adopt()
    return false
  }

  /** False when the flow was cancelled meanwhile: it stands where it stood, and is to be undone from there. */
  async #save(changes: Partial<Omit<FlowRow, 'id'>>): Promise<boolean> {
    const updated_at = timestamp()
    if (await saveFlow(this.#o.db, this.#held(), { ...changes, updated_at })) {
      this.#state = changes.state ?? this.#state
      return true
    }
    await this.#adopt()
    return false
  }

  async #adopt(): Promise<void> {
    const { db, row, owner, log } = this.#o
    const current = await db.selectFrom('flows').selectAll().where('id', '=', row.id).executeTakeFirst()
    if (
      current === undefined ||
      current.owner !== owner ||
      current.state !== 'undoing' ||
      this.#state === 'undoing'
    ) {
      log.warn({ flow: row.kind, subject: row.subject }, 'the lease of a flow was lost')
      throw lost
    }
    this.#state = 'undoing'
    this.#retry = undefined
    this.#error = current.error === null ? undefined : readFault(current.error)
    const step = this.#o.flow.steps[this.#at]?.name ?? ''
    await saveFlow(db, this.#held(), { step, outputs: JSON.stringify(this.#outputs) })
  }

  async #release(attempts: number): Promise<number> {
    const lease_expires_at =
      attempts === 0 ? free : new Date(Date.now() + backoffSeconds(attempts) * 1000).toISOString()
    await releaseFlow(this.#o.db, this.#held(), { lease_expires_at, attempts })
    return attempts
  }

  #held() {
    return { id: this.#o.row.id, owner: this.#o.owner, state: this.#state }
  }

  #values(): Record<string, unknown> {
    return Object.assign({}, this.#input, ...Object.values(this.#outputs))
  }

  // What cancelled the flow must not cut short its undoing.
  #undoContext(): StepContext {
    const context = { ...this.#context, again: true }
    return this.#o.signal.aborted ? { ...context, signal: new AbortController().signal } : context
  }
}

function memory(): StepContext['remember'] {
  const known = new Map<string, Promise<unknown>>()
  return <T>(name: string, read: () => Promise<T>): Promise<T> => {
    let value = known.get(name)
    if (value === undefined) {
      value = read()
      known.set(name, value)
      value.catch(() => known.delete(name))
    }
    return value as Promise<T>
  }
}

function indexOf<Deps>(flow: ErasedFlow<Deps>, step: string, state: FlowState): number {
  if (step === notBegun) return state === 'running' ? 0 : -1
  if (step === '') return -1
  const index = flow.steps.findIndex((each) => each.name === step)
  if (index === -1) throw new Fault('bug', `The flow ${flow.kind} has no step named ${step}.`)
  return index
}

/** The last step that may have begun when the row says that the flow is at this one. */
function lastBegun<Deps>({ steps }: ErasedFlow<Deps>, written: number): number {
  let at = written
  while (steps[at]?.unsaved === true && at < steps.length - 1) at++
  return at
}

function toFault(error: unknown, step: string): Fault {
  if (error instanceof Fault)
    return new Fault(error.kind, error.message, { ...error.details, step }, error.cause)
  return new Fault('bug', error instanceof Error ? error.message : String(error), { step }, error)
}

const writeFault = (fault: Fault): string =>
  JSON.stringify({ kind: fault.kind, message: fault.message, details: fault.details })

function readFault(text: string): Fault {
  const { kind, message, details } = JSON.parse(text) as {
    kind: FaultKind
    message: string
    details: Record<string, unknown>
  }
  return new Fault(kind, message, details)
}
