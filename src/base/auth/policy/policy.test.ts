import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthContext } from '../context.ts'
import { createPolicy } from './policy.ts'
import { readPolicyFile } from './policy-file.ts'

const someone = (facts: Partial<AuthContext>): AuthContext =>
  ({ userId: 'u', projectId: 'p', domainId: null, systemScope: false, roles: [], ...facts }) as AuthContext

/** Whether the rule allows it. */
const allows = (rule: string, target: Record<string, unknown>, facts: Partial<AuthContext> = {}): boolean =>
  createPolicy({ admin: 'role:admin', x: rule }).check('x', target, someone(facts))

test('rules are read as oslo.policy reads them', () => {
  const cases: [
    rule: string,
    target: Record<string, unknown>,
    facts: Partial<AuthContext>,
    allowed: boolean,
  ][] = [
    ['', {}, {}, true],
    ['@', {}, {}, true],
    ['!', {}, {}, false],
    ['role:Admin', {}, { roles: ['admin'] }, true],
    ['rule:admin', {}, { roles: ['member'] }, false],
    ['rule:admin or project_id:%(project_id)s', { project_id: 'p' }, {}, true],
    ['rule:admin or project_id:%(project_id)s', { project_id: 'q' }, {}, false],
    ['project_id:%(project_id)s', {}, {}, false],
    ['role:reader and (user_id:%(user_id)s or role:admin)', { user_id: 'u' }, { roles: ['reader'] }, true],
    ['role:a or role:b and role:c', {}, { roles: ['a'] }, true],
    ['(role:a or role:b) and role:c', {}, { roles: ['a'] }, false],
    ['not role:a and role:b', {}, { roles: ['b'] }, true],
    ['not (role:a or role:b)', {}, { roles: ['b'] }, false],
    ["'public':%(visibility)s", { visibility: 'public' }, {}, true],
    ["'two words':%(x)s", { x: 'two words' }, {}, true],
    ['True:%(shared)s', { shared: true }, {}, true],
    ['True:%(shared)s', { shared: false }, {}, false],
    ['None:%(owner)s', { owner: null }, {}, true],
    ['system_scope:all', {}, { systemScope: true }, true],
    ['system_scope:all', {}, {}, false],
    ['is_admin:True', {}, { roles: ['admin'] }, true],
    [
      'domain_id:%(target.project.domain_id)s',
      { target: { project: { domain_id: 'd' } } },
      { domainId: 'd' },
      true,
    ],
    ['domain_id:%(target.project.domain_id)s', { 'target.project.domain_id': 'd' }, { domainId: 'd' }, true],
    ['service_roles:service', {}, { extra: { service_roles: ['service'] } }, true],
  ]
  for (const [rule, target, facts, allowed] of cases) assert.equal(allows(rule, target, facts), allowed, rule)
})

test('a rule that cannot be read, is not there, or leads to itself fails at the start', () => {
  const refuses = (rule: string, message: RegExp) => assert.throws(() => allows(rule, {}), message)
  refuses('role:a and', /ends where a check is expected \(column 11\)/)
  refuses('(role:a', /never closed \(column 1\)/)
  refuses('role:a role:b', /did not expect 'role:b' \(column 8\)/)
  refuses('admin', /'admin' is no check/)
  refuses('rule:admn', /did you mean rule:admin\?/)
  refuses('not rule:x', /refers to itself: x → x/)
})

test('a policy file replaces defaults, and its mistakes are told by line', () => {
  const file = 'a: "role:member"\n# a comment\nb: ""\n'
  const policy = createPolicy({ a: '!', b: '!' }, readPolicyFile('policy.yaml', file))
  assert.equal(policy.check('a', {}, someone({ roles: ['member'] })), true)
  assert.equal(policy.check('b', {}, someone({})), true)
  assert.throws(() => readPolicyFile('policy.yaml', 'a: ""\nb: [1]\n'), /policy\.yaml:2: the rule of b/)
  assert.throws(() => readPolicyFile('policy.yaml', 'a: ""\nb: "x\n'), /policy\.yaml:/)
  assert.throws(() => createPolicy({}, readPolicyFile('policy.yaml', '\n\na: "role:"x\n')), /policy\.yaml:3/)
})
