import { Type } from 'typebox'
import { parseObject } from '../../store/extra.ts'
import type { RoleRow } from '../../store/roles.ts'
import { globalRole } from '../../store/tables.ts'
import { resourceOptionsSchema } from '../immutable.ts'
import { creation, Id, Name, Nullable, Text, update } from '../schemas.ts'

const properties = {
  name: Name,
  description: Nullable(Text),
  domain_id: Nullable(Id),
  options: Type.Unsafe(resourceOptionsSchema),
}

export const roleCreation = creation(properties, ['name'])
export const roleUpdate = update(properties)
export const roleAttributes = ['id', ...Object.keys(properties)]

export interface RoleBody {
  id?: string
  name?: string
  domain_id?: string | null
  description?: string | null
  options?: Record<string, unknown>
  [extra: string]: unknown
}

export function roleView(origin: string, row: RoleRow): Record<string, unknown> {
  return {
    ...parseObject(row.extra),
    id: row.id,
    name: row.name,
    domain_id: row.domain_id === globalRole ? null : row.domain_id,
    description: row.description,
    options: parseObject(row.options),
    links: { self: `${origin}/v3/roles/${row.id}` },
  }
}
