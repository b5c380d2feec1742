import type { Kysely } from 'kysely'

/** Which process delivers an event for compute, and until when it is nobody else's. */
export async function holdComputeEvents(db: Kysely<unknown>): Promise<void> {
  const table = (await db.introspection.getTables()).find(({ name }) => name === 'compute_events')
  if (table?.columns.some(({ name }) => name === 'owner')) return
  for (const [name, type] of [
    ['owner', 'varchar(36)'],
    ['lease_expires_at', 'varchar(32)'],
  ] as const) {
    await db.schema
      .alterTable('compute_events')
      .addColumn(name, type, (column) => column.notNull().defaultTo(''))
      .execute()
  }
}
