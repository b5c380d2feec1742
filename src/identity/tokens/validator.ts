/** Tells what a token is worth. What was worked out for a token is kept until something changed that it stands on. */
import type { Kysely } from 'kysely'
import type { AuthContext, TokenValidator } from '#base/auth/context.ts'
import { type Clock, systemClock } from '#base/clock.ts'
import { isFault } from '#base/errors.ts'
import { loadCatalog } from '../store/service-catalog.ts'
import type { Tables } from '../store/tables.ts'
import type { Claims } from './claims.ts'
import type { TokenKeys } from './keys.ts'
import { authContextOf, tokenView } from './render-token.ts'
import { findStanding, type Standing } from './standing.ts'
import type { TokenState } from './token-state.ts'

export interface KnownToken {
  claims: Claims
  standing: Standing
  context: AuthContext
  /** The body that `GET /v3/auth/tokens` answers with. */
  body: string
  bodyWithoutCatalog: string
}

/** A full cache forgets its oldest half: one flush in so many tokens, instead of work on every hit. */
const capacity = 4000

export class LocalValidator implements TokenValidator {
  readonly #deps: { db: Kysely<Tables>; keys: TokenKeys; state: TokenState; clock?: Clock }
  readonly #clock: Clock
  #cache = new Map<string, KnownToken>()
  #older = new Map<string, KnownToken>()
  #generation = -1

  constructor(deps: { db: Kysely<Tables>; keys: TokenKeys; state: TokenState; clock?: Clock }) {
    this.#deps = deps
    this.#clock = deps.clock ?? systemClock
  }

  async validate(token: string): Promise<AuthContext | undefined> {
    const known = await this.inspect(token)
    return known?.context
  }

  /** Undefined for a token that is forged, revoked or over; `graceSeconds` lets one pass that ran out lately. */
  async inspect(token: string, graceSeconds = 0): Promise<KnownToken | undefined> {
    await this.#deps.state.refresh()
    const cached = this.#cached(token)
    if (cached !== undefined) return this.#isOver(cached.claims, graceSeconds) ? undefined : cached
    const claims = this.#deps.keys.read(token)
    if (claims === undefined || this.#isOver(claims, graceSeconds)) return undefined
    if (this.#deps.state.isRevoked(claims)) return undefined
    try {
      return await this.#learn(token, claims)
    } catch (error) {
      if (isFault(error, 'unauthenticated') || isFault(error, 'forbidden')) return undefined
      throw error
    }
  }

  /** Works out what a new token is worth; throws `unauthenticated` with the reason when it is worth nothing. */
  async issue(claims: Claims): Promise<KnownToken> {
    await this.#deps.state.refresh()
    return this.#learn(this.#deps.keys.sign(claims), claims)
  }

  async #learn(token: string, claims: Claims): Promise<KnownToken> {
    const { db, state } = this.#deps
    const { generation } = state
    const standing = await findStanding(db, claims, this.#clock.now())
    const context = authContextOf(token, claims, standing)
    const catalog = await loadCatalog(db, context)
    const known: KnownToken = {
      claims,
      standing,
      context,
      body: JSON.stringify(tokenView(claims, standing, catalog)),
      bodyWithoutCatalog: JSON.stringify(tokenView(claims, standing, undefined)),
    }
    // Something may have changed while we read.
    if (generation === state.generation) this.#keep(token, known)
    return known
  }

  #cached(token: string): KnownToken | undefined {
    if (this.#generation !== this.#deps.state.generation) {
      this.#cache.clear()
      this.#older.clear()
      this.#generation = this.#deps.state.generation
    }
    return this.#cache.get(token) ?? this.#older.get(token)
  }

  #keep(token: string, known: KnownToken): void {
    this.#cached(token)
    if (this.#cache.size >= capacity / 2) {
      this.#older = this.#cache
      this.#cache = new Map()
    }
    this.#cache.set(token, known)
  }

  #isOver(claims: Claims, graceSeconds: number): boolean {
    return claims.expiresAt + graceSeconds * 1000 <= this.#clock.now()
  }
}
