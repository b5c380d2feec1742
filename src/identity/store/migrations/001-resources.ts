import type { Kysely } from 'kysely'

/** Projects, users, groups, roles and what was assigned to whom; the catalog. */
// biome-ignore lint/suspicious/noExplicitAny: a migration knows tables of its own time only.
export async function createResources(db: Kysely<any>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('project')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('name', 'varchar(64)', (c) => c.notNull())
    .addColumn('domain_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('parent_id', 'varchar(64)')
    .addColumn('is_domain', 'integer', (c) => c.notNull())
    .addColumn('description', 'text')
    .addColumn('enabled', 'integer', (c) => c.notNull())
    .addColumn('extra', 'text', (c) => c.notNull())
    .addColumn('options', 'text', (c) => c.notNull())
    .addUniqueConstraint('project_domain_name', ['domain_id', 'name'])
    .execute()
  await schema.createIndex('project_parent').on('project').column('parent_id').execute()
  await schema
    .createTable('project_tag')
    .addColumn('project_id', 'varchar(64)', (c) => c.references('project.id').onDelete('cascade').notNull())
    .addColumn('name', 'varchar(255)', (c) => c.notNull())
    .addPrimaryKeyConstraint('project_tag_key', ['project_id', 'name'])
    .execute()
  await schema
    .createTable('user')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('domain_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('enabled', 'integer', (c) => c.notNull())
    .addColumn('default_project_id', 'varchar(64)')
    .addColumn('created_at', 'varchar(32)', (c) => c.notNull())
    .addColumn('extra', 'text', (c) => c.notNull())
    .addColumn('options', 'text', (c) => c.notNull())
    .execute()
  await schema.createIndex('user_default_project').on('user').column('default_project_id').execute()
  await schema
    .createTable('local_user')
    .addColumn('user_id', 'varchar(64)', (c) => c.primaryKey().references('user.id').onDelete('cascade'))
    .addColumn('domain_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('name', 'varchar(255)', (c) => c.notNull())
    .addUniqueConstraint('local_user_domain_name', ['domain_id', 'name'])
    .execute()
  await schema
    .createTable('password')
    .addColumn('user_id', 'varchar(64)', (c) => c.primaryKey().references('user.id').onDelete('cascade'))
    .addColumn('password_hash', 'varchar(255)', (c) => c.notNull())
    .addColumn('created_at', 'varchar(32)', (c) => c.notNull())
    .addColumn('expires_at', 'varchar(32)')
    .execute()
  await schema
    .createTable('group')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('domain_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('name', 'varchar(255)', (c) => c.notNull())
    .addColumn('description', 'text')
    .addColumn('extra', 'text', (c) => c.notNull())
    .addUniqueConstraint('group_domain_name', ['domain_id', 'name'])
    .execute()
  await schema
    .createTable('user_group_membership')
    .addColumn('user_id', 'varchar(64)', (c) => c.references('user.id').onDelete('cascade').notNull())
    .addColumn('group_id', 'varchar(64)', (c) => c.references('group.id').onDelete('cascade').notNull())
    .addPrimaryKeyConstraint('user_group_membership_key', ['user_id', 'group_id'])
    .execute()
  await schema
    .createIndex('user_group_membership_group')
    .on('user_group_membership')
    .column('group_id')
    .execute()
  await createRoles(db)
  await createCatalog(db)
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
async function createRoles({ schema }: Kysely<any>): Promise<void> {
  await schema
    .createTable('role')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('name', 'varchar(255)', (c) => c.notNull())
    .addColumn('domain_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('description', 'text')
    .addColumn('extra', 'text', (c) => c.notNull())
    .addColumn('options', 'text', (c) => c.notNull())
    .addUniqueConstraint('role_domain_name', ['domain_id', 'name'])
    .execute()
  await schema
    .createTable('implied_role')
    .addColumn('prior_role_id', 'varchar(64)', (c) => c.references('role.id').onDelete('cascade').notNull())
    .addColumn('implied_role_id', 'varchar(64)', (c) => c.references('role.id').onDelete('cascade').notNull())
    .addPrimaryKeyConstraint('implied_role_key', ['prior_role_id', 'implied_role_id'])
    .execute()
  await schema
    .createTable('assignment')
    .addColumn('type', 'varchar(16)', (c) => c.notNull())
    .addColumn('actor_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('target_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('role_id', 'varchar(64)', (c) => c.references('role.id').onDelete('cascade').notNull())
    .addColumn('inherited', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('assignment_key', ['type', 'actor_id', 'target_id', 'role_id', 'inherited'])
    .execute()
  await schema.createIndex('assignment_actor').on('assignment').column('actor_id').execute()
  await schema.createIndex('assignment_target').on('assignment').column('target_id').execute()
  await schema
    .createTable('system_assignment')
    .addColumn('type', 'varchar(16)', (c) => c.notNull())
    .addColumn('actor_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('role_id', 'varchar(64)', (c) => c.references('role.id').onDelete('cascade').notNull())
    .addPrimaryKeyConstraint('system_assignment_key', ['type', 'actor_id', 'role_id'])
    .execute()
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
async function createCatalog({ schema }: Kysely<any>): Promise<void> {
  await schema
    .createTable('service')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('type', 'varchar(255)', (c) => c.notNull())
    .addColumn('enabled', 'integer', (c) => c.notNull())
    .addColumn('extra', 'text', (c) => c.notNull())
    .execute()
  await schema
    .createTable('region')
    .addColumn('id', 'varchar(255)', (c) => c.primaryKey())
    .addColumn('description', 'varchar(255)', (c) => c.notNull())
    .addColumn('parent_region_id', 'varchar(255)')
    .addColumn('extra', 'text', (c) => c.notNull())
    .execute()
  await schema
    .createTable('endpoint')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('service_id', 'varchar(64)', (c) => c.references('service.id').onDelete('cascade').notNull())
    .addColumn('interface', 'varchar(8)', (c) => c.notNull())
    .addColumn('region_id', 'varchar(255)', (c) => c.references('region.id'))
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('enabled', 'integer', (c) => c.notNull())
    .addColumn('extra', 'text', (c) => c.notNull())
    .execute()
  await schema
    .createTable('policy')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('type', 'varchar(255)', (c) => c.notNull())
    .addColumn('blob', 'text', (c) => c.notNull())
    .addColumn('extra', 'text', (c) => c.notNull())
    .execute()
}
