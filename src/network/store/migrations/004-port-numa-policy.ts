import type { Kysely } from 'kysely'

/** How strictly a port's device must be near to its server's processor; null: nothing was asked. */
export async function keepNumaPolicies(db: Kysely<unknown>): Promise<void> {
  const table = (await db.introspection.getTables()).find(({ name }) => name === 'ports')
  if (table?.columns.some(({ name }) => name === 'numa_affinity_policy')) return
  await db.schema.alterTable('ports').addColumn('numa_affinity_policy', 'varchar(16)').execute()
}
