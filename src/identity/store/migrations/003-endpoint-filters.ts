import type { Kysely } from 'kysely'

/** Which endpoints the catalog shows to a project, one by one and in groups. */
// biome-ignore lint/suspicious/noExplicitAny: a migration knows tables of its own time only.
export async function createEndpointFilters({ schema }: Kysely<any>): Promise<void> {
  await schema
    .createTable('project_endpoint')
    .addColumn('endpoint_id', 'varchar(64)', (c) => c.references('endpoint.id').onDelete('cascade').notNull())
    .addColumn('project_id', 'varchar(64)', (c) => c.references('project.id').onDelete('cascade').notNull())
    .addPrimaryKeyConstraint('project_endpoint_key', ['endpoint_id', 'project_id'])
    .execute()
  await schema
    .createTable('endpoint_group')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('name', 'varchar(255)', (c) => c.notNull())
    .addColumn('description', 'text')
    .addColumn('filters', 'text', (c) => c.notNull())
    .execute()
  await schema
    .createTable('project_endpoint_group')
    .addColumn('endpoint_group_id', 'varchar(64)', (c) =>
      c.references('endpoint_group.id').onDelete('cascade').notNull(),
    )
    .addColumn('project_id', 'varchar(64)', (c) => c.references('project.id').onDelete('cascade').notNull())
    .addPrimaryKeyConstraint('project_endpoint_group_key', ['endpoint_group_id', 'project_id'])
    .execute()
}
