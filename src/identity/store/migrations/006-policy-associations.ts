import type { Kysely } from 'kysely'

/** Which policy holds for an endpoint, for a service, or for a service in a region. */
// biome-ignore lint/suspicious/noExplicitAny: a migration knows tables of its own time only.
export async function createPolicyAssociations({ schema }: Kysely<any>): Promise<void> {
  await schema
    .createTable('policy_association')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('policy_id', 'varchar(64)', (c) => c.references('policy.id').onDelete('cascade').notNull())
    .addColumn('endpoint_id', 'varchar(64)', (c) => c.references('endpoint.id').onDelete('cascade'))
    .addColumn('service_id', 'varchar(64)', (c) => c.references('service.id').onDelete('cascade'))
    .addColumn('region_id', 'varchar(64)', (c) => c.references('region.id').onDelete('cascade'))
    .execute()
}
