import type { Migration } from '../../../base/db/migrate.ts'

/** The zone a server was pinned to as a column: lists of servers show it, and would read every specification whole. */
export const apiPinnedZones: Migration = {
  name: 'api-002-pinned-zones',
  up: async (db) => {
    await db.schema.alterTable('request_specs').addColumn('availability_zone', 'varchar(255)').execute()
    const rows: { id: number; spec: string }[] = await db
      .selectFrom('request_specs')
      .select(['id', 'spec'])
      .execute()
    for (const { id, spec } of rows) {
      const { availabilityZone } = JSON.parse(spec) as { availabilityZone: string | null }
      if (availabilityZone === null) continue
      await db
        .updateTable('request_specs')
        .set({ availability_zone: availabilityZone })
        .where('id', '=', id)
        .execute()
    }
  },
}
