import { timestamp } from '../../base/clock.ts'
import type { Db } from '../../base/db/database.ts'
import type { CellTables } from './cell-tables.ts'
import { notePartsChanged } from './instance-changes.ts'

/** Tells the owner of a server what went wrong with it: in a transaction. */
export async function insertFault(
  db: Db<CellTables>,
  fault: {
    instanceUuid: string
    code: number
    message: string
    details?: string | null
    host?: string | null
  },
): Promise<void> {
  await notePartsChanged(db, fault.instanceUuid)
  await db
    .insertInto('instance_faults')
    .values({
      instance_uuid: fault.instanceUuid,
      code: fault.code,
      message: fault.message,
      details: fault.details ?? null,
      host: fault.host ?? null,
      created_at: timestamp(),
      updated_at: null,
    })
    .execute()
}
