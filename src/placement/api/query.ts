/** The query parameters that providers and allocation candidates have in common. */
import { type TSchema, Type } from 'typebox'
import { Fault } from '../../base/errors.ts'
import { isUuid } from '../../base/ids.ts'
import type { AggregateFilter, Resources, TraitFilter } from '../candidates/filters.ts'
import type { Request } from './deps.ts'

/** A parameter that may be repeated: a text or a list of them. */
export const Repeatable = (
  rules: { format?: string; pattern?: string; enum?: string[]; minLength?: number } = {},
): TSchema => Type.Unsafe({ type: ['string', 'array'], ...rules, items: { type: 'string', ...rules } })

/** All values of a parameter. */
export function allOf(request: Request, name: string): readonly string[] {
  const value = request.query[name]
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

/** The last value of a parameter, which counts where only one can. */
export const lastOf = (request: Request, name: string): string | undefined => allOf(request, name).at(-1)

/** `VCPU:2,MEMORY_MB:1024`. */
export function readResources(text: string): Resources {
  const form = '?resources=VCPU:2,MEMORY_MB:1024'
  const refuse = (what: string) =>
    new Fault(
      'invalid',
      `Badly formed resources parameter. Expected resources query string parameter in form: ${form}. Got: ${what}.`,
    )
  if (text.trim() === '') throw refuse('empty string')
  const resources = new Map<string, number>()
  for (const part of text.split(',')) {
    const [name, amountText, ...rest] = part.split(':')
    if (amountText === undefined || rest.length > 0) throw refuse(part)
    if (!/^\s*[+-]?\d+\s*$/.test(amountText)) {
      throw new Fault(
        'invalid',
        `Requested resource ${name} expected positive integer amount. Got: ${amountText}.`,
      )
    }
    const amount = Number(amountText)
    if (amount < 1)
      throw new Fault('invalid', `Requested resource ${name} requires amount >= 1. Got: ${amount}.`)
    resources.set(name!, amount)
  }
  return resources
}

/**
 * The traits of `required<suffix>`. Forbidden ones came with 1.22, `in:` and repetition with 1.39; before, the last of
 * several counts.
 */
export function readTraits(request: Request, suffix = ''): TraitFilter {
  const values = allOf(request, `required${suffix}`)
  const allowAny = request.atLeast('1.39')
  const required: Set<string>[] = []
  const forbidden = new Set<string>()
  for (const value of allowAny ? values : values.slice(-1)) {
    if (value.startsWith('in:')) required.push(readAny(value, allowAny))
    else readAll(value, request.atLeast('1.22'), required, forbidden)
  }
  return { required, forbidden }
}

/** The traits of `root_required`, which has no `in:`. */
export function readRootTraits(text: string): TraitFilter {
  const required: Set<string>[] = []
  const forbidden = new Set<string>()
  if (text.startsWith('in:')) readAny(text, false)
  readAll(text, true, required, forbidden)
  return { required, forbidden }
}

const badTraits = (text: string): Fault => new Fault('invalid', `Invalid query string parameters: ${text}`)

function readAny(value: string, allowed: boolean): Set<string> {
  const form = 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC'
  if (!allowed) throw badTraits(`The format '${form}' only supported since microversion 1.39. Got: ${value}`)
  const names = value
    .slice(3)
    .split(',')
    .map((name) => name.trim())
  if (names.includes('')) {
    throw badTraits(
      `Expected 'required' parameter value of the form: ${form}. Got an empty trait in: ${value}`,
    )
  }
  if (names.some((name) => name.startsWith('!')))
    throw badTraits(`The format '${form}' does not support forbidden traits. Got: ${value}`)
  return new Set(names)
}

function readAll(
  value: string,
  allowForbidden: boolean,
  required: Set<string>[],
  forbidden: Set<string>,
): void {
  const form = allowForbidden ? 'HW_CPU_X86_VMX,!CUSTOM_MAGIC' : 'HW_CPU_X86_VMX,CUSTOM_MAGIC'
  const expected = `Expected 'required' parameter value of the form: ${form}.`
  for (const part of value.split(',')) {
    const name = part.trim()
    const bare = name.replace(/^!+/, '')
    if (bare === '') throw badTraits(`${expected} Got an empty trait in: ${value}`)
    if (bare === name) required.push(new Set([name]))
    else if (allowForbidden) forbidden.add(bare)
    else throw badTraits(`${expected} Got: ${value}`)
  }
}

/** The aggregates of `member_of<suffix>`: repeated since 1.24, forbidden ones since 1.32. */
export function readMemberOf(request: Request, suffix = ''): AggregateFilter {
  const values = allOf(request, `member_of${suffix}`)
  if (values.length > 1 && !request.atLeast('1.24'))
    throw new Fault('invalid', `Multiple member_of${suffix} parameters are not supported`)
  const required: Set<string>[] = []
  const forbidden = new Set<string>()
  for (const value of values) {
    const [, prefix, list] = /^(!in:|!|in:)?(.*)$/s.exec(value)!
    if (value.includes(',') && prefix !== 'in:' && prefix !== '!in:') {
      throw new Fault(
        'invalid',
        `Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword using the valid microversion. Got: ${value}`,
      )
    }
    const uuids = list!.split(',')
    for (const uuid of uuids) {
      if (isUuid(uuid)) continue
      throw new Fault(
        'invalid',
        `Invalid query string parameters: Expected 'member_of' parameter to contain valid UUID(s). Got: ${uuid}`,
      )
    }
    if (prefix?.startsWith('!') !== true) required.push(new Set(uuids))
    else if (request.atLeast('1.32')) for (const uuid of uuids) forbidden.add(uuid)
    else {
      throw new Fault(
        'invalid',
        `Forbidden member_of${suffix} parameters are not supported in the specified microversion`,
      )
    }
  }
  return { required, forbidden }
}
