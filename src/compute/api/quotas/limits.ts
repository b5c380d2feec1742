/** Which limits hold for whom, and what is used of them. */
import type { Db } from '../../../base/db/database.ts'
import { takeTurn } from '../../../base/db/turns.ts'
import { Fault } from '../../../base/errors.ts'
import type { ComputeApiConfig } from '../../config.ts'
import type { ApiTables } from '../../store/api-tables.ts'
import { countUsage } from '../../store/instance-mappings.ts'
import { listQuotas } from '../../store/quotas.ts'
import { countServerGroups } from '../../store/server-groups.ts'
import { type QuotaResource, resourceNames } from './resources.ts'

export type Limits = Record<QuotaResource, number>
export type Usage = Partial<Limits>

/** The limits of a project for which none were set: those of the class `default`, else the configured ones. */
export async function defaultLimits(
  db: Db<ApiTables>,
  config: ComputeApiConfig,
  className = 'default',
): Promise<Limits> {
  const set = await listQuotas(db, { className })
  return Object.fromEntries(
    resourceNames.map((name) => [
      name,
      set.get(name) ?? (name in config.quota ? config.quota[name as 'ram'] : -1),
    ]),
  ) as Limits
}

/** The limits of a project, or of a user in it. */
export async function limitsOf(
  db: Db<ApiTables>,
  config: ComputeApiConfig,
  projectId: string,
  userId?: string,
): Promise<Limits> {
  const limits = await defaultLimits(db, config)
  for (const [name, limit] of await listQuotas(db, { projectId })) limits[name as QuotaResource] = limit
  if (userId !== undefined) {
    for (const [name, limit] of await listQuotas(db, { projectId, userId }))
      limits[name as QuotaResource] = limit
  }
  return limits
}

/** What is used; a resource that only limits one request (metadata items) or one user (keypairs) shows 0. */
export async function usageOf(db: Db<ApiTables>, projectId: string, userId?: string): Promise<Usage> {
  const used = await countUsage(db, projectId, userId)
  return { ...used, server_groups: await countServerGroups(db, projectId, userId) }
}

/**
 * Throws `over-quota` when the servers that the transaction has just written are too many for their project, or for
 * their user in it. Called inside that transaction, so that two requests cannot both pass.
 */
export async function assertServersFit(
  transaction: Db<ApiTables>,
  config: ComputeApiConfig,
  asked: { projectId: string; userId: string; instances: number; cores: number; ram: number },
): Promise<void> {
  const { projectId, userId } = asked
  await takeTurn(transaction, `servers:${projectId}`)
  assertUnder(await limitsOf(transaction, config, projectId), await countUsage(transaction, projectId), asked)
  const own = await listQuotas(transaction, { projectId, userId })
  if (own.size === 0) return
  const limits = await limitsOf(transaction, config, projectId, userId)
  assertUnder(limits, await countUsage(transaction, projectId, userId), asked)
}

type ServerUsage = { instances: number; cores: number; ram: number }

function assertUnder(limits: Limits, used: ServerUsage, asked: ServerUsage): void {
  const names = (['instances', 'cores', 'ram'] as const).filter(
    (name) => limits[name] >= 0 && used[name] > limits[name],
  )
  if (names.length === 0) return
  const list = (numbers: (name: 'instances' | 'cores' | 'ram') => number | string) =>
    names.map(numbers).join(', ')
  const over = list((name) => name)
  throw new Fault(
    'over-quota',
    `Quota exceeded for ${over}: Requested ${list((name) => asked[name])}, but already used ${list(
      (name) => used[name] - asked[name],
    )} of ${list((name) => limits[name])} ${over}`,
    { names },
  )
}
