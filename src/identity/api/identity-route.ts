/** What identity's route tables are made of: the rule with the target it is checked against, and the body's schema. */
import type { Kysely } from 'kysely'
import type { TSchema } from 'typebox'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/errors.ts'
import type { ApiRequest, Route } from '#base/http/route.ts'
import { check } from '#base/http/validate.ts'
import type { CredentialCipher } from '../credential-cipher.ts'
import type { PasswordHasher } from '../passwords.ts'
import type { Tables } from '../store/tables.ts'
import type { TokenState } from '../tokens/token-state.ts'
import type { LocalValidator } from '../tokens/validator.ts'

export interface IdentityDeps {
  db: Kysely<Tables>
  clock: Clock
  passwords: PasswordHasher
  cipher: CredentialCipher
  validator: LocalValidator
  state: TokenState
  /** How long a token lasts. */
  tokenSeconds: number
}

type Path = { [M in 'get' | 'post' | 'put' | 'patch' | 'delete' | 'head']?: string }
type Target = Readonly<Record<string, unknown>>

// biome-ignore lint/suspicious/noExplicitAny: the body was checked against the route's schema; its handler says its type.
export type IdentityRequest<Body = any> = ApiRequest<Body>

export interface IdentityRoute extends Path {
  /** The policy; a function where it depends on what is asked for. */
  rule: string | ((request: IdentityRequest, deps: IdentityDeps) => string | Promise<string>)
  /** What the rule is checked against; entities that are not there are left out, so that only an administrator learns it. */
  target?(request: IdentityRequest, deps: IdentityDeps): Promise<Target> | Target
  /** The key that wraps the body, and the schema of what is in it. */
  body?: { key: string; schema: TSchema }
  /** Gets the unwrapped body. */
  handler(request: IdentityRequest, deps: IdentityDeps): unknown
  status?: number
  /** True for what users do with their tokens, which changes nothing that tokens stand on. */
  leavesTokens?: boolean
  /** Asked all the time by other services: a success is logged at debug only. */
  quiet?: boolean
}

/** As the base's route: checks the rule, then the body, and tells the validators of what may have changed. */
export function toRoute(route: IdentityRoute): Route<IdentityDeps> {
  const { rule, target, body, handler, status, leavesTokens, ...path } = route
  const changes = leavesTokens !== true && path.get === undefined && path.head === undefined
  return {
    ...path,
    ...(status === undefined ? {} : { status }),
    policy: 'identity:any_token',
    async handler(request: IdentityRequest, deps) {
      const name = typeof rule === 'string' ? rule : await rule(request, deps)
      authorize(request, name, await target?.(request, deps))
      if (body !== undefined) assertBody(body.schema, unwrap(request.body, body.key))
      if (!changes) return handler(request, deps)
      try {
        return await handler(request, deps)
      } finally {
        await deps.state.changed()
      }
    },
  }
}

/** Throws `forbidden` in keystone's words. The target's `user_id` is that of the path. */
export function authorize(request: IdentityRequest, rule: string, target: Target = {}): void {
  const ofPath = { user_id: undefined, project_id: undefined, domain_id: undefined, ...request.params }
  if (request.can(rule, { ...ofPath, ...target })) return
  throw new Fault('forbidden', `You are not authorized to perform the requested action: ${rule}.`, { rule })
}

function unwrap(body: unknown, key: string): unknown {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) {
    throw new Fault('invalid', `The body must be a JSON object with the key '${key}'.`)
  }
  return (body as Record<string, unknown>)[key] ?? {}
}

/** Throws `invalid` with keystone's wording when a value does not fit. */
export function assertBody(schema: TSchema, value: unknown): void {
  const finding = check(schema, value)
  if (finding === undefined) return
  const message =
    finding.path === ''
      ? finding.problem
      : `Invalid input for field '${finding.path.replaceAll('.', '/')}': ${finding.problem}`
  throw new Fault('invalid', message, { path: finding.path })
}
