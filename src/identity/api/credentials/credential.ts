import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import { Fault } from '#base/errors.ts'
import type { CredentialRow } from '../../store/credentials.ts'
import { parseObject } from '../../store/extra.ts'
import { expecting } from '../../tokens/authenticate.ts'
import type { IdentityDeps } from '../identity-route.ts'
import { creation, Text } from '../schemas.ts'

const properties = { blob: Text, project_id: Text, type: Text, user_id: Text }
export const credentialCreation = creation(properties, ['blob', 'type', 'user_id'])
export const credentialUpdate = Type.Object(
  { blob: Text, project_id: Type.Optional(Text), type: Type.Optional(Text) },
  { additionalProperties: false },
)
export const credentialAttributes = ['id', ...Object.keys(properties)]

export interface CredentialBody {
  blob: string
  type: string
  user_id: string
  project_id?: string
  [extra: string]: unknown
}

/** EC2 credentials are found by their access key, which is not to be read from their id. */
export const ec2CredentialId = (access: string): string => createHash('sha256').update(access).digest('hex')

/** The content of an EC2 credential. */
export interface Ec2Blob {
  access: string
  secret: string
  trust_id?: string | null
  app_cred_id?: string | null
  access_token_id?: string | null
}

export function parseEc2Blob(blob: string): Ec2Blob {
  let parsed: unknown
  try {
    parsed = JSON.parse(blob)
  } catch (error) {
    throw new Fault('invalid', 'Invalid blob in credential', {}, error)
  }
  if (parsed === null || typeof parsed !== 'object') throw expecting('blob', 'credential')
  if (typeof (parsed as Ec2Blob).access !== 'string') throw expecting('access', 'credential')
  return parsed as Ec2Blob
}

export function credentialView(
  origin: string,
  row: CredentialRow,
  deps: Pick<IdentityDeps, 'cipher'>,
): Record<string, unknown> {
  return {
    ...parseObject(row.extra),
    id: row.id,
    user_id: row.user_id,
    project_id: row.project_id,
    type: row.type,
    blob: deps.cipher.decrypt(row.blob),
    links: { self: `${origin}/v3/credentials/${row.id}` },
  }
}
