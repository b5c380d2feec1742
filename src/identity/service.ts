/** Wires identity: its database, token keys, validator and API. */
import type { FastifyInstance } from 'fastify'
import type { Kysely } from 'kysely'
import { createPolicy } from '#base/auth/policy/policy.ts'
import type { PolicyOverrides } from '#base/auth/policy/policy-file.ts'
import { type Clock, systemClock } from '#base/clock.ts'
import { type DatabaseOpener, migratedDatabases } from '#base/db/opener.ts'
import { createApi } from '#base/http/app.ts'
import type { Logger } from '#base/log.ts'
import { renderFault } from './api/faults.ts'
import { policyDefaults } from './api/policy-defaults.ts'
import { identityRoutes } from './api/routes.ts'
import { type Bootstrap, bootstrapIdentity } from './bootstrap.ts'
import { openCredentialCipher } from './credential-cipher.ts'
import { createPasswordHasher } from './passwords.ts'
import { migrations } from './store/migrations/list.ts'
import type { Tables } from './store/tables.ts'
import { TokenKeys } from './tokens/keys.ts'
import { TokenState } from './tokens/token-state.ts'
import { LocalValidator } from './tokens/validator.ts'

export interface IdentityOptions {
  databaseUrl: string
  /** Makes the tables where they are not there, unless given. */
  openDatabase?: DatabaseOpener
  /** Where token keys are kept, 0700; made on the first start. */
  keyDirectory: string
  /** Where clients reach identity, for `WWW-Authenticate`: `http://controller:5000`. */
  publicUrl: string
  log: Logger
  policyOverrides?: PolicyOverrides
  /** How long a token lasts; an hour unless given. */
  tokenSeconds?: number
  /** Binary logarithm of scrypt's cost. */
  passwordHashRounds?: number
  clock?: Clock
}

export interface Identity extends AsyncDisposable {
  app: FastifyInstance
  /** Validates tokens without a call, for services of the same process. */
  validator: LocalValidator
  keys: TokenKeys
  db: Kysely<Tables>
  /** Makes what a cloud starts with; what is there already stays. */
  bootstrap(wanted: Bootstrap): Promise<void>
}

export async function startIdentity(options: IdentityOptions): Promise<Identity> {
  const clock = options.clock ?? systemClock
  const db = await (options.openDatabase ?? migratedDatabases({ log: options.log }))<Tables>(
    options.databaseUrl,
    migrations,
  )
  const keys = new TokenKeys(options.keyDirectory, clock)
  const state = new TokenState(db, clock)
  const validator = new LocalValidator({ db, keys, state, clock })
  const passwords = createPasswordHasher(
    options.passwordHashRounds === undefined ? {} : { rounds: options.passwordHashRounds },
  )
  const cipher = openCredentialCipher(options.keyDirectory)
  const tokenSeconds = options.tokenSeconds ?? 3600
  const app = createApi({
    name: 'identity',
    routes: identityRoutes,
    deps: { db, clock, passwords, cipher, validator, state, tokenSeconds },
    log: options.log,
    tokens: validator,
    policy: createPolicy(policyDefaults, options.policyOverrides),
    renderFault,
    identityUri: options.publicUrl,
  })
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('vary', 'X-Auth-Token')
    done()
  })
  return {
    app,
    validator,
    keys,
    db,
    async bootstrap(wanted) {
      await bootstrapIdentity({ db, passwords, clock }, wanted)
      await state.changed()
    },
    async [Symbol.asyncDispose]() {
      await app.close()
      await db.destroy()
    },
  }
}
