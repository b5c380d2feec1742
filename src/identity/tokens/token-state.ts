/**
 * What can end a token before its time, in memory: revocation events, and the generation, which grows with every change
 * to users, projects, roles and the like. It is read again when this process changes something, and once a second for
 * the changes of others.
 */
import type { Kysely } from 'kysely'
import { type Clock, systemClock } from '#base/clock.ts'
import {
  bumpGeneration,
  insertRevocation,
  listRevocations,
  pruneRevocations,
  type Revocation,
  readGeneration,
} from '../store/revocations.ts'
import type { Tables } from '../store/tables.ts'
import type { Claims } from './claims.ts'

const pollMilliseconds = 1000
const keptMilliseconds = 2 * 24 * 3600 * 1000

export class TokenState {
  readonly #db: Kysely<Tables>
  readonly #clock: Clock
  #generation = -1
  #polledAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined
  #revoked = new Map<string, number>()

  constructor(db: Kysely<Tables>, clock: Clock = systemClock) {
    this.#db = db
    this.#clock = clock
  }

  /** Facts that were worked out at another generation no longer hold. */
  get generation(): number {
    return this.#generation
  }

  /** Makes sure that what is known is not older than a second; a promise only when there is something to read. */
  refresh(): Promise<void> | undefined {
    if (this.#clock.now() - this.#polledAt < pollMilliseconds) return undefined
    return this.#read()
  }

  /** To be called after every change to what tokens stand on. */
  async changed(): Promise<void> {
    await bumpGeneration(this.#db)
    await this.#reading
    await this.#read()
  }

  async revoke(event: Partial<Revocation>): Promise<void> {
    const now = this.#clock.now()
    await insertRevocation(this.#db, { issued_before: new Date(now).toISOString(), ...event })
    await pruneRevocations(this.#db, new Date(now - keptMilliseconds).toISOString())
    await this.changed()
  }

  isRevoked(claims: Claims): boolean {
    const until = (key: string): boolean =>
      (this.#revoked.get(key) ?? Number.NEGATIVE_INFINITY) >= claims.issuedAt
    if (this.#revoked.size === 0) return false
    return (
      until(`audit ${claims.auditId}`) ||
      until(`chain ${claims.parentAuditId ?? claims.auditId}`) ||
      until(`user ${claims.userId}`) ||
      (claims.scope.kind === 'project' && until(`project ${claims.scope.id}`)) ||
      (claims.scope.kind === 'domain' && until(`domain ${claims.scope.id}`))
    )
  }

  #read(): Promise<void> {
    this.#reading ??= this.#load().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #load(): Promise<void> {
    const generation = await readGeneration(this.#db)
    if (generation !== this.#generation) {
      const revoked = new Map<string, number>()
      for (const event of await listRevocations(this.#db)) {
        const until = Date.parse(event.issued_before)
        for (const key of keysOf(event)) revoked.set(key, Math.max(until, revoked.get(key) ?? 0))
      }
      this.#revoked = revoked
      this.#generation = generation
    }
    this.#polledAt = this.#clock.now()
  }
}

function keysOf(event: Revocation): string[] {
  const keys: string[] = []
  if (event.audit_id !== null) keys.push(`audit ${event.audit_id}`)
  if (event.audit_chain_id !== null) keys.push(`chain ${event.audit_chain_id}`)
  if (event.user_id !== null) keys.push(`user ${event.user_id}`)
  if (event.project_id !== null) keys.push(`project ${event.project_id}`)
  if (event.domain_id !== null) keys.push(`domain ${event.domain_id}`)
  return keys
}
