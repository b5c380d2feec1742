/** A parsed rule as a function: who may do it is asked on every request, the text is read once. */
import { Fault } from '../../errors.ts'
import type { Rule } from './parse-rule.ts'

export type Facts = Readonly<Record<string, unknown>>

/** What a token says, under the names that oslo.policy's rules use. */
export interface Credentials extends Facts {
  roles: readonly string[]
}

export type CompiledRule = (target: Facts, credentials: Credentials) => boolean

/** `lookup` finds another rule by name, when a check `rule:<name>` is evaluated. */
export function compileRule(rule: Rule, lookup: (name: string) => CompiledRule): CompiledRule {
  switch (rule.is) {
    case 'true':
      return () => true
    case 'false':
      return () => false
    case 'not': {
      const inner = compileRule(rule.of, lookup)
      return (target, credentials) => !inner(target, credentials)
    }
    case 'and': {
      const parts = rule.of.map((part) => compileRule(part, lookup))
      return (target, credentials) => parts.every((part) => part(target, credentials))
    }
    case 'or': {
      const parts = rule.of.map((part) => compileRule(part, lookup))
      return (target, credentials) => parts.some((part) => part(target, credentials))
    }
    case 'check':
      return compileCheck(rule.kind, rule.match, lookup)
  }
}

function compileCheck(kind: string, match: string, lookup: (name: string) => CompiledRule): CompiledRule {
  if (kind === 'rule') return lookup(match)
  if (kind === 'http' || kind === 'https') {
    throw new Fault('invalid', `Checks by ${kind}: are not supported; write the rule with roles and targets.`)
  }
  const wanted = compileMatch(match)
  if (kind === 'role') {
    return (target, credentials) => {
      const role = wanted(target)
      return role !== undefined && credentials.roles.includes(role.toLowerCase())
    }
  }
  const literal = literalOf(kind)
  if (literal !== undefined) return (target) => wanted(target) === literal
  const path = kind.split('.')
  return (target, credentials) => {
    const value = wanted(target)
    if (value === undefined) return false
    const held = find(credentials, kind, path)
    if (Array.isArray(held)) return held.some((item) => asText(item) === value)
    return held !== undefined && asText(held) === value
  }
}

// `%(name)s` is replaced by the target's value; a target without it fails the check.
function compileMatch(match: string): (target: Facts) => string | undefined {
  const names = [...match.matchAll(/%\(([^)]*)\)s/g)].map((found) => found[1]!)
  if (names.length === 0) {
    const text = literalOf(match) ?? match
    return () => text
  }
  const whole = names.length === 1 && match === `%(${names[0]})s`
  const paths = names.map((name) => name.split('.'))
  return (target) => {
    const values = names.map((name, index) => find(target, name, paths[index]!))
    if (values.includes(undefined)) return undefined
    if (whole) return asText(values[0])
    let index = 0
    return match.replace(/%\([^)]*\)s/g, () => asText(values[index++]))
  }
}

function find(facts: Facts, name: string, path: readonly string[]): unknown {
  if (name in facts) return facts[name]
  let value: unknown = facts
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Facts)[key]
  }
  return value
}

/** Values are compared as Python writes them. */
function asText(value: unknown): string {
  if (value === true) return 'True'
  if (value === false) return 'False'
  return value === null ? 'None' : String(value)
}

function literalOf(text: string): string | undefined {
  const quoted = /^(['"])(.*)\1$/.exec(text)
  if (quoted !== null) return quoted[2]
  return /^(True|False|None|-?\d+(\.\d+)?)$/.test(text) ? text : undefined
}
