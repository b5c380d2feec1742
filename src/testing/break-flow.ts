/** Flows that fail, crash or stutter at a chosen step, made from one that does not. */
import { Fault } from '../base/errors.ts'
import type { ErasedFlow, ErasedStep } from '../base/flow/flow.ts'

type AnyStep<Deps> = ErasedStep<Deps>

const replaceSteps = <Deps>(
  flow: ErasedFlow<Deps>,
  change: (step: AnyStep<Deps>, index: number) => AnyStep<Deps>,
): ErasedFlow<Deps> => ({ ...flow, steps: flow.steps.map(change) })

/** Fails right after the step at `index` has done its work. */
export function failAfter<Deps>(flow: ErasedFlow<Deps>, index: number): ErasedFlow<Deps> {
  return replaceSteps(flow, (step, at) => {
    if (at !== index) return step
    const run: AnyStep<Deps>['run'] = async (values, deps, context) => {
      await step.run(values, deps, context)
      throw new Fault('unavailable', `made to fail after the step ${step.name}`)
    }
    return { ...step, run, retries: 0 }
  })
}

/** Never comes back after the step at `index` has done its work, as in a process that was killed; tells `crashed`. */
export function crashAfter<Deps>(
  flow: ErasedFlow<Deps>,
  index: number,
  crashed: () => void,
): ErasedFlow<Deps> {
  return replaceSteps(flow, (step, at) => {
    if (at !== index) return step
    const run: AnyStep<Deps>['run'] = async (values, deps, context) => {
      await step.run(values, deps, context)
      crashed()
      await new Promise(() => undefined)
    }
    return { ...step, run }
  })
}

/** As `crashAfter`, but lets go of the step when its runner is stopped, so that a whole cloud can be ended there. */
export function haltAfter<Deps>(flow: ErasedFlow<Deps>, index: number, halted: () => void): ErasedFlow<Deps> {
  return replaceSteps(flow, (step, at) => {
    if (at !== index) return step
    const run: AnyStep<Deps>['run'] = async (values, deps, context) => {
      await step.run(values, deps, context)
      halted()
      await new Promise((_, reject) => {
        context.signal.addEventListener('abort', () => reject(context.signal.reason))
      })
    }
    return { ...step, run }
  })
}

/** Does every run and every undo twice. */
export function twice<Deps>(flow: ErasedFlow<Deps>): ErasedFlow<Deps> {
  return replaceSteps(flow, (step) => {
    const { undo } = step
    const run: AnyStep<Deps>['run'] = async (values, deps, context) => {
      await step.run(values, deps, context)
      return await step.run(values, deps, { ...context, again: true })
    }
    if (undo === undefined) return { ...step, run }
    const undoTwice: AnyStep<Deps>['run'] = async (values, deps, context) => {
      await undo(values, deps, context)
      await undo(values, deps, context)
    }
    return { ...step, run, undo: undoTwice }
  })
}
