import type { Selectable } from 'kysely'
import type { Db } from '../../base/db/database.ts'
import type { CellTables, InstancesTable } from './cell-tables.ts'
import type { Flavor } from './flavors.ts'

export interface InstanceToHeal
  extends Pick<Selectable<InstancesTable>, 'id' | 'uuid' | 'project_id' | 'user_id' | 'host' | 'task_state'> {
  flavor: Flavor
}

/** Living instances after the id `after`, in order, with the flavors they were booted with; or the one of `uuid`. */
export async function listInstancesToHeal(
  db: Db<CellTables>,
  query: { after: number; count: number; uuid: string | undefined },
): Promise<InstanceToHeal[]> {
  let select = db
    .selectFrom('instances')
    .innerJoin('instance_extra', 'instance_extra.instance_uuid', 'instances.uuid')
    .select([
      'instances.id',
      'instances.uuid',
      'instances.project_id',
      'instances.user_id',
      'instances.host',
      'instances.task_state',
      'instance_extra.flavor',
    ])
    .where('instances.deleted', '=', 0)
    .orderBy('instances.id')
    .limit(query.count)
  select =
    query.uuid === undefined
      ? select.where('instances.id', '>', query.after)
      : select.where('instances.uuid', '=', query.uuid)
  return (await select.execute()).map((row) => ({ ...row, flavor: JSON.parse(row.flavor) as Flavor }))
}
