import { closest } from 'fastest-levenshtein'
import { describeError, Fault } from '../../errors.ts'
import type { AuthContext, PolicyChecker } from '../context.ts'
import { type CompiledRule, type Credentials, compileRule } from './compile-rule.ts'
import { parseRule, type Rule } from './parse-rule.ts'
import type { PolicyOverrides } from './policy-file.ts'

/**
 * A checker from a service's default rules, by name, and what an operator's policy file says instead. Every rule is
 * read at once, so that a mistake shows at the start and not at the first request it refuses.
 */
export function createPolicy(
  defaults: Readonly<Record<string, string>>,
  overrides: PolicyOverrides = new Map(),
): PolicyChecker {
  const texts = new Map(Object.entries(defaults).map(([name, text]) => [name, { text, where: 'defaults' }]))
  for (const [name, override] of overrides) texts.set(name, override)
  const rules = new Map([...texts].map(([name, { text, where }]) => [name, readRule(name, text, where)]))
  for (const [name, rule] of rules) assertKnown(name, rule, rules, texts.get(name)!.where)
  const compiled = new Map<string, CompiledRule>()
  const lookup =
    (name: string): CompiledRule =>
    (target, credentials) =>
      compiled.get(name)!(target, credentials)
  for (const [name, rule] of rules) compiled.set(name, compileRule(rule, lookup))
  return {
    check(name, target, context) {
      const rule = compiled.get(name)
      if (rule === undefined) throw new Error(`there is no policy named ${name}`)
      return rule(target, credentialsOf(context))
    },
  }
}

function readRule(name: string, text: string, where: string): Rule {
  try {
    return parseRule(text)
  } catch (error) {
    throw new Fault('invalid', `${where}: policy ${name}: ${describeError(error)}`, { where, name }, error)
  }
}

// A rule that leads back to itself would never be answered.
function assertKnown(name: string, rule: Rule, rules: ReadonlyMap<string, Rule>, where: string): void {
  const visit = (current: Rule, path: readonly string[]): void => {
    if (current.is === 'not') visit(current.of, path)
    if (current.is === 'and' || current.is === 'or') for (const part of current.of) visit(part, path)
    if (current.is !== 'check' || current.kind !== 'rule') return
    if (path.includes(current.match)) {
      const loop = [...path, current.match].join(' → ')
      throw new Fault('invalid', `${where}: policy ${name} refers to itself: ${loop}.`, { where, name })
    }
    const next = rules.get(current.match)
    if (next === undefined) {
      const meant = closest(current.match, [...rules.keys()])
      throw new Fault(
        'invalid',
        `${where}: policy ${name} refers to rule:${current.match}, which is not there; did you mean rule:${meant}?`,
        { where, name },
      )
    }
    visit(next, [...path, current.match])
  }
  visit(rule, [name])
}

const known = new WeakMap<AuthContext, Credentials>()

function credentialsOf(context: AuthContext): Credentials {
  let credentials = known.get(context)
  if (credentials === undefined) {
    credentials = {
      ...context.extra,
      user_id: context.userId,
      user_domain_id: context.userDomainId,
      project_id: context.projectId,
      tenant_id: context.projectId,
      project_domain_id: context.projectDomainId,
      domain_id: context.domainId,
      system_scope: context.systemScope ? 'all' : null,
      roles: context.roles.map((role) => role.toLowerCase()),
      is_admin: context.roles.includes('admin'),
      is_admin_project: true,
    }
    known.set(context, credentials)
  }
  return credentials
}
