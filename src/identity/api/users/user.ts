/** A user as the API shows and takes it. */
import { Type } from 'typebox'
import { parseObject } from '../../store/extra.ts'
import type { UserRow } from '../../store/users.ts'
import { creation, Flag, Id, Name, Nullable, Text, update } from '../schemas.ts'

const option = { type: ['boolean', 'null'] }

const properties = {
  name: Name,
  default_project_id: Nullable(Id),
  description: Nullable(Text),
  domain_id: Id,
  enabled: Flag,
  password: Nullable(Text),
  options: Type.Unsafe({
    type: 'object',
    properties: {
      ignore_change_password_upon_first_use: option,
      ignore_password_expiry: option,
      ignore_lockout_failure_attempts: option,
      lock_password: option,
      ignore_user_inactivity: option,
      multi_factor_auth_enabled: option,
      multi_factor_auth_rules: {
        type: ['array', 'null'],
        items: { type: 'array', minItems: 1, items: { type: 'string' }, uniqueItems: true },
      },
    },
    additionalProperties: false,
  }),
}

export const userCreation = creation(properties, ['name'])
export const userUpdate = update(properties)
export const passwordChange = Type.Object(
  { original_password: Text, password: Text },
  { additionalProperties: false },
)

/** The attributes that are a user's own; others, as `description` and `email`, go to `extra`. */
export const userAttributes = [
  ...Object.keys(properties).filter((name) => name !== 'description'),
  'id',
  'original_password',
  'password_expires_at',
]

export interface UserBody {
  id?: string
  name?: string
  default_project_id?: string | null
  domain_id?: string
  enabled?: boolean
  password?: string | null
  options?: Record<string, unknown>
  [extra: string]: unknown
}

export function userView(origin: string, row: UserRow): Record<string, unknown> {
  return {
    ...parseObject(row.extra),
    id: row.id,
    name: row.name,
    domain_id: row.domain_id,
    enabled: row.enabled === 1,
    password_expires_at: row.password_expires_at,
    options: parseObject(row.options),
    ...(row.default_project_id === null ? {} : { default_project_id: row.default_project_id }),
    links: { self: `${origin}/v3/users/${row.id}` },
  }
}
