import type { Kysely } from 'kysely'

/** What a domain's configuration says; secrets have a table of their own, encrypted. */
// biome-ignore lint/suspicious/noExplicitAny: a migration knows tables of its own time only.
export async function createDomainConfig({ schema }: Kysely<any>): Promise<void> {
  for (const table of ['whitelisted_config', 'sensitive_config']) {
    await schema
      .createTable(table)
      .addColumn('domain_id', 'varchar(64)', (c) => c.references('project.id').onDelete('cascade').notNull())
      .addColumn('group', 'varchar(255)', (c) => c.notNull())
      .addColumn('option', 'varchar(255)', (c) => c.notNull())
      .addColumn('value', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint(`${table}_key`, ['domain_id', 'group', 'option'])
      .execute()
  }
}
