import { type Kysely, sql } from 'kysely'
import { newUuid } from '../../../base/ids.ts'

/** The log that agents read changes from. */
export async function createAgentChanges(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('agent_revision')
    .ifNotExists()
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('epoch', 'varchar(36)', (c) => c.notNull())
    .addColumn('revision', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('agent_changes')
    .ifNotExists()
    .addColumn('revision', 'bigint', (c) => c.primaryKey())
    .addColumn('changes', 'text', (c) => c.notNull())
    .addColumn('created_at', 'varchar(32)', (c) => c.notNull())
    .execute()
  const there = await sql`select id from agent_revision`.execute(db)
  if (there.rows.length === 0)
    await sql`insert into agent_revision (id, epoch, revision) values (1, ${newUuid()}, 0)`.execute(db)
}
