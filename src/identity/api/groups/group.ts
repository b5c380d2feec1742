import { parseObject } from '../../store/extra.ts'
import type { GroupRow } from '../../store/groups.ts'
import { creation, Id, Name, Nullable, Text, update } from '../schemas.ts'

const properties = { name: Name, domain_id: Id, description: Nullable(Text) }

export const groupCreation = creation(properties, ['name'])
export const groupUpdate = update(properties)
export const groupAttributes = ['id', ...Object.keys(properties)]

export interface GroupBody {
  id?: string
  name?: string
  domain_id?: string
  description?: string | null
  [extra: string]: unknown
}

export function groupView(origin: string, row: GroupRow): Record<string, unknown> {
  return {
    ...parseObject(row.extra),
    id: row.id,
    name: row.name,
    domain_id: row.domain_id,
    description: row.description ?? '',
    links: { self: `${origin}/v3/groups/${row.id}` },
  }
}
