import type { Kysely } from 'kysely'

/** OAuth 1.0a: consumers, and the tokens by which users let them act. Secrets are encrypted. */
// biome-ignore lint/suspicious/noExplicitAny: a migration knows tables of its own time only.
export async function createOauth1({ schema }: Kysely<any>): Promise<void> {
  await schema
    .createTable('consumer')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('description', 'text')
    .addColumn('secret', 'text', (c) => c.notNull())
    .addColumn('extra', 'text', (c) => c.notNull())
    .execute()
  await schema
    .createTable('request_token')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('request_secret', 'text', (c) => c.notNull())
    .addColumn('verifier', 'varchar(64)')
    .addColumn('authorizing_user_id', 'varchar(64)')
    .addColumn('requested_project_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('role_ids', 'text')
    .addColumn('consumer_id', 'varchar(64)', (c) => c.references('consumer.id').onDelete('cascade').notNull())
    .addColumn('expires_at', 'varchar(32)', (c) => c.notNull())
    .execute()
  await schema
    .createTable('access_token')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('access_secret', 'text', (c) => c.notNull())
    .addColumn('authorizing_user_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('project_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('role_ids', 'text', (c) => c.notNull())
    .addColumn('consumer_id', 'varchar(64)', (c) => c.references('consumer.id').onDelete('cascade').notNull())
    .addColumn('expires_at', 'varchar(32)', (c) => c.notNull())
    .execute()
  await schema.createIndex('access_token_user').on('access_token').column('authorizing_user_id').execute()
}
