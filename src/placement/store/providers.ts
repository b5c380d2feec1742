import { timestamp } from '../../base/clock.ts'
import { isUniqueViolation } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import { Fault } from '../../base/errors.ts'
import { errorCodes } from '../error-codes.ts'
import { lastRevision, markDeletion, nextRevision, touchProviders } from './changes.ts'
import type { PlacementDb } from './tables.ts'

export interface Provider {
  id: number
  uuid: string
  name: string
  /** Kept up to date by `bumpGeneration`. */
  generation: number
  rootUuid: string
  parentUuid: string | null
  rootId: number
  parentId: number | null
  createdAt: string
  updatedAt: string | null
}

/** The provider; throws `not-found`. */
export async function getProvider(db: PlacementDb, uuid: string): Promise<Provider> {
  const provider = await findProvider(db, uuid)
  if (provider === undefined) throw new Fault('not-found', `No resource provider with uuid ${uuid} found`)
  return provider
}

/** The provider, or undefined. */
export async function findProvider(db: PlacementDb, uuid: string): Promise<Provider | undefined> {
  const row = await db
    .selectFrom('resource_providers as p')
    .innerJoin('resource_providers as root', 'root.id', 'p.root_provider_id')
    .leftJoin('resource_providers as parent', 'parent.id', 'p.parent_provider_id')
    .select(['p.id', 'p.uuid', 'p.name', 'p.generation', 'p.created_at', 'p.updated_at'])
    .select(['root.uuid as root_uuid', 'parent.uuid as parent_uuid'])
    .select(['p.root_provider_id', 'p.parent_provider_id'])
    .where('p.uuid', '=', uuid)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    id: row.id,
    uuid: row.uuid,
    name: row.name,
    generation: row.generation,
    rootUuid: row.root_uuid,
    parentUuid: row.parent_uuid,
    rootId: row.root_provider_id!,
    parentId: row.parent_provider_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

const bump = statement((db: PlacementDb, p: { id: number; generation: number; next: number; now: string }) =>
  db
    .updateTable('resource_providers')
    .set({ generation: p.next, revision: lastRevision, updated_at: p.now })
    .where('id', '=', p.id)
    .where('generation', '=', p.generation),
)

/** Adds one to the generation that was read, after `nextRevision`; a conflict when another was first. */
export async function bumpGeneration(
  db: PlacementDb,
  provider: { id: number; generation: number },
): Promise<void> {
  const { id, generation } = provider
  const { changed } = await bump(db, { id, generation, next: generation + 1, now: timestamp() })
  if (changed !== 1) throw providerChanged()
  provider.generation += 1
}

/** What a writer is told whose view of a provider is old; `retry` marks it as passing. */
export const providerChanged = (): Fault =>
  new Fault(
    'conflict',
    'Another thread concurrently updated the resource provider data. Please retry your update',
    { code: errorCodes.concurrentUpdate, retry: true },
  )

export interface NewProvider {
  uuid: string
  name: string
  parentUuid: string | null
}

/** Inserts a provider, as a root or under its parent. Runs in a transaction. */
export async function insertProvider(db: PlacementDb, provider: NewProvider): Promise<Provider> {
  const refuse = (reason: string) =>
    new Fault(
      'invalid',
      `Unable to create resource provider "${provider.name}", ${provider.uuid}: Object action create failed because: ${reason}`,
    )
  if (provider.name === '') throw refuse('name is required')
  if (provider.parentUuid === provider.uuid) {
    throw refuse(
      'parent provider UUID cannot be same as UUID. Please set parent provider UUID to None if there is no parent.',
    )
  }
  const parent = provider.parentUuid === null ? undefined : await findProvider(db, provider.parentUuid)
  if (provider.parentUuid !== null && parent === undefined)
    throw refuse('parent provider UUID does not exist.')
  await refuseDuplicate(db, provider)
  const now = timestamp()
  const values = {
    uuid: provider.uuid,
    name: provider.name,
    generation: 0,
    root_provider_id: parent?.rootId ?? null,
    parent_provider_id: parent?.id ?? null,
    revision: 0,
    created_at: now,
    updated_at: null,
  }
  await db
    .insertInto('resource_providers')
    .values(values)
    .execute()
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? duplicate([`name: ${provider.name}`]) : error
    })
  const { id } = await db
    .selectFrom('resource_providers')
    .select('id')
    .where('uuid', '=', provider.uuid)
    .executeTakeFirstOrThrow()
  await nextRevision(db)
  await db
    .updateTable('resource_providers')
    .set({ root_provider_id: parent?.rootId ?? id, revision: lastRevision })
    .where('id', '=', id)
    .execute()
  return await getProvider(db, provider.uuid)
}

async function refuseDuplicate(db: PlacementDb, provider: { uuid: string; name: string }): Promise<void> {
  const known = await db
    .selectFrom('resource_providers')
    .select(['uuid', 'name'])
    .where((eb) => eb.or([eb('uuid', '=', provider.uuid), eb('name', '=', provider.name)]))
    .execute()
  if (known.length === 0) return
  const parts: string[] = []
  if (known.some((row) => row.uuid === provider.uuid)) parts.push(`uuid: ${provider.uuid}`)
  if (known.some((row) => row.name === provider.name)) parts.push(`name: ${provider.name}`)
  throw duplicate(parts)
}

const duplicate = (parts: readonly string[]): Fault =>
  new Fault('conflict', `Conflicting resource provider ${parts.join(', ')} already exists.`, {
    code: errorCodes.duplicateName,
  })

export interface ProviderUpdate {
  name: string
  /** Undefined leaves the parent. */
  parentUuid?: string | null
}

/** Renames or moves a provider with its subtree. Runs in a transaction. */
export async function updateProvider(
  db: PlacementDb,
  uuid: string,
  update: ProviderUpdate,
  options: { allowReparenting: boolean },
): Promise<Provider> {
  const provider = await getProvider(db, uuid)
  const moved: number[] = [provider.id]
  let root = provider.rootId
  let parent = provider.parentId
  if (update.parentUuid !== undefined && update.parentUuid !== provider.parentUuid) {
    const refuse = (action: string, reason: string) =>
      new Fault(
        'invalid',
        `Unable to save resource provider ${uuid}: Object action ${action} failed because: ${reason}`,
      )
    const target = update.parentUuid === null ? undefined : await findProvider(db, update.parentUuid)
    if (update.parentUuid !== null && target === undefined)
      throw refuse('create', 'parent provider UUID does not exist.')
    if (provider.parentId !== null && !options.allowReparenting) {
      const what = update.parentUuid === null ? 'un-parenting' : 're-parenting'
      throw refuse('update', `${what} a provider is not currently allowed.`)
    }
    const subtree = await subtreeIds(db, provider)
    if (target !== undefined && subtree.includes(target.id))
      throw refuse('update', 'creating loop in the provider tree is not allowed.')
    moved.splice(0, 1, ...subtree)
    parent = target?.id ?? null
    root = target?.rootId ?? provider.id
    await db
      .updateTable('resource_providers')
      .set({ root_provider_id: root })
      .where('id', 'in', moved)
      .execute()
  }
  const taken = await db
    .selectFrom('resource_providers')
    .select('id')
    .where('name', '=', update.name)
    .where('id', '!=', provider.id)
    .executeTakeFirst()
  if (taken !== undefined) {
    throw new Fault('conflict', `Conflicting resource provider ${update.name} already exists.`, {
      code: errorCodes.duplicateName,
    })
  }
  await db
    .updateTable('resource_providers')
    .set({ name: update.name, parent_provider_id: parent, updated_at: timestamp() })
    .where('id', '=', provider.id)
    .execute()
  await touchProviders(db, moved)
  return await getProvider(db, uuid)
}

// The provider and everything under it.
async function subtreeIds(db: PlacementDb, provider: Provider): Promise<number[]> {
  const tree = await db
    .selectFrom('resource_providers')
    .select(['id', 'parent_provider_id'])
    .where('root_provider_id', '=', provider.rootId)
    .execute()
  const children = Map.groupBy(tree, (row) => row.parent_provider_id)
  const ids = [provider.id]
  for (const id of ids) ids.push(...(children.get(id) ?? []).map((row) => row.id))
  return ids
}

/** Removes a provider that has neither allocations nor children. Runs in a transaction. */
export async function deleteProvider(db: PlacementDb, uuid: string): Promise<void> {
  const provider = await findProvider(db, uuid)
  if (provider === undefined) {
    throw new Fault('not-found', `No resource provider with uuid ${uuid} found for delete`)
  }
  const child = await db
    .selectFrom('resource_providers')
    .select('id')
    .where('parent_provider_id', '=', provider.id)
    .executeTakeFirst()
  if (child !== undefined) {
    throw new Fault(
      'conflict',
      `Unable to delete parent resource provider ${uuid}: It has child resource providers.`,
      { code: errorCodes.cannotDeleteParent },
    )
  }
  const allocation = await db
    .selectFrom('allocations')
    .select('id')
    .where('resource_provider_id', '=', provider.id)
    .executeTakeFirst()
  if (allocation !== undefined) {
    throw new Fault(
      'conflict',
      `Unable to delete resource provider ${uuid}: Resource provider has allocations.`,
      { code: errorCodes.providerInUse },
    )
  }
  for (const table of ['inventories', 'resource_provider_aggregates', 'resource_provider_traits'] as const) {
    await db.deleteFrom(table).where('resource_provider_id', '=', provider.id).execute()
  }
  await db.deleteFrom('resource_providers').where('id', '=', provider.id).execute()
  await markDeletion(db)
}
