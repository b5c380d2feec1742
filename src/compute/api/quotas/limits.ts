/** Which limits hold for whom, and what is used of them. */
import type { Db } from '../../../base/db/database.ts'
import { takeTurn } from '../../../base/db/turns.ts'
import { Fault } from '../../../base/errors.ts'
import type { ComputeApiConfig } from '../../config.ts'
import type { ApiTables } from '../../store/api-tables.ts'
import { countUsage } from '../../store/instance-mappings.ts'
import { listClassQuotas, listSetLimits } from '../../store/quotas.ts'
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
  return configuredOr(config, await listClassQuotas(db, className))
}

const configuredOr = (config: ComputeApiConfig, set: ReadonlyMap<string, number>): Limits =>
  Object.fromEntries(
    resourceNames.map((name) => [
      name,
      set.get(name) ?? (name in config.quota ? config.quota[name as 'ram'] : -1),
    ]),
  ) as Limits

/** The limits of a project, or of a user in it. */
export async function limitsOf(
  db: Db<ApiTables>,
  config: ComputeApiConfig,
  projectId: string,
  userId?: string,
): Promise<Limits> {
  // Nobody has the empty id.
  const limits = await limitsOfBoth(db, config, projectId, userId ?? '')
  return limits.user ?? limits.project
}

export interface LimitsOfBoth {
  project: Limits
  /** Those of the user in the project; undefined where none were set. */
  user: Limits | undefined
}

/** The limits of a project, and of a user in it. */
export async function limitsOfBoth(
  db: Db<ApiTables>,
  config: ComputeApiConfig,
  projectId: string,
  userId: string,
): Promise<LimitsOfBoth> {
  const { ofClass, ofProject, ofUser } = await listSetLimits(db, projectId, userId)
  const project = { ...configuredOr(config, ofClass), ...Object.fromEntries(ofProject) }
  return { project, user: ofUser.size === 0 ? undefined : { ...project, ...Object.fromEntries(ofUser) } }
}

/** What is used; a resource that only limits one request (metadata items) or one user (keypairs) shows 0. */
export async function usageOf(db: Db<ApiTables>, projectId: string, userId?: string): Promise<Usage> {
  const used = await countUsage(db, projectId, userId)
  return { ...used, server_groups: await countServerGroups(db, projectId, userId) }
}

const ofServers = ['instances', 'cores', 'ram'] as const

/**
 * Throws `over-quota` when the servers that the transaction has just written are too many for their project, or for
 * their user in it. Called inside that transaction, and last: two requests cannot both pass, and who waits for its turn
 * waits for as little as can be.
 */
export async function assertServersFit(
  transaction: Db<ApiTables>,
  { project, user }: LimitsOfBoth,
  asked: { projectId: string; userId: string; instances: number; cores: number; ram: number },
): Promise<void> {
  const { projectId, userId } = asked
  const isLimited = (limits: Limits) => ofServers.some((name) => limits[name] >= 0)
  const isUserLimited = user !== undefined && isLimited(user)
  if (!isLimited(project) && !isUserLimited) return
  await takeTurn(transaction, `servers:${projectId}`)
  if (isLimited(project)) assertUnder(project, await countUsage(transaction, projectId), asked)
  if (isUserLimited) assertUnder(user, await countUsage(transaction, projectId, userId), asked)
}

type ServerUsage = { instances: number; cores: number; ram: number }

function assertUnder(limits: Limits, used: ServerUsage, asked: ServerUsage): void {
  const names = ofServers.filter((name) => limits[name] >= 0 && used[name] > limits[name])
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
