/** A project as the API shows and takes it. */
import { Type } from 'typebox'
import { parseObject } from '../../store/extra.ts'
import type { ProjectRow } from '../../store/projects.ts'
import { rootDomain } from '../../store/tables.ts'
import { resourceOptionsSchema } from '../immutable.ts'
import { creation, Flag, Id, Nullable, ShortName, Text, update } from '../schemas.ts'

export const Tag = Type.String({ minLength: 1, maxLength: 255, pattern: '^[^,/]*$' })
export const Tags = Type.Array(Tag, { maxItems: 80, uniqueItems: true })

const properties = {
  name: ShortName,
  description: Nullable(Text),
  domain_id: Nullable(Id),
  enabled: Flag,
  is_domain: Flag,
  parent_id: Nullable(Id),
  tags: Tags,
  options: Type.Unsafe(resourceOptionsSchema),
}

export const projectCreation = creation(properties, ['name'])
export const projectUpdate = update(properties)

/** The attributes that are a project's own; others go to `extra`. */
export const projectAttributes = ['id', ...Object.keys(properties)]

export interface ProjectBody {
  id?: string
  name?: string
  description?: string | null
  domain_id?: string | null
  enabled?: boolean
  is_domain?: boolean
  parent_id?: string | null
  tags?: string[]
  options?: Record<string, unknown>
  [extra: string]: unknown
}

export function projectView(
  origin: string,
  row: ProjectRow,
  tags: readonly string[],
): Record<string, unknown> {
  return {
    ...parseObject(row.extra),
    id: row.id,
    name: row.name,
    domain_id: row.domain_id === rootDomain ? null : row.domain_id,
    description: row.description ?? '',
    enabled: row.enabled === 1,
    parent_id: row.parent_id,
    is_domain: row.is_domain === 1,
    tags,
    options: parseObject(row.options),
    links: { self: `${origin}/v3/projects/${row.id}` },
  }
}
