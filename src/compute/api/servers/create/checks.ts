/** What a new server's body may hold that a schema cannot say: sizes against quotas, base64, groups. */
import { Fault } from '../../../../base/errors.ts'
import type { ApiRequest } from '../../../../base/http/route.ts'
import { findServerGroup, type ServerGroup, serverGroupNotFound } from '../../../store/server-groups.ts'
import type { ApiDbDeps } from '../../deps.ts'
import type { Limits } from '../../quotas/limits.ts'
import type { CreateServerBody, NewServer } from './body.ts'

const isBase64 = (text: string): boolean => {
  const dense = text.replace(/\s/g, '')
  return dense.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(dense)
}

export function assertUserData(server: NewServer): void {
  const { user_data: data } = server
  if (data === undefined || isBase64(data)) return
  throw new Fault(
    'invalid',
    `Invalid input for field/attribute user_data. Value: ${data.slice(0, 60)}. '${data.slice(0, 60)}' is not a 'base64'`,
  )
}

/** Metadata and files are limited one request at a time. */
export function assertSizes(server: NewServer, limits: Limits): void {
  const count = Object.keys(server.metadata ?? {}).length
  if (limits.metadata_items >= 0 && count > limits.metadata_items) {
    throw new Fault('over-quota', `Maximum number of metadata items exceeds ${limits.metadata_items}`)
  }
  const files = server.personality ?? []
  if (limits.injected_files >= 0 && files.length > limits.injected_files) {
    throw new Fault('over-quota', 'Personality file limit exceeded')
  }
  for (const { path = '', contents = '' } of files) {
    if (!isBase64(contents)) throw new Fault('invalid', `Personality content for ${path} cannot be decoded`)
    const { injected_file_path_bytes: pathLimit, injected_file_content_bytes: contentLimit } = limits
    if (pathLimit >= 0 && Buffer.byteLength(path) > pathLimit) {
      throw new Fault('over-quota', `Personality file path exceeds maximum ${pathLimit}`)
    }
    if (contentLimit >= 0 && Buffer.from(contents, 'base64').length > contentLimit) {
      throw new Fault('over-quota', `Personality file content exceeds maximum ${contentLimit}`)
    }
  }
}

/** Every hint as a list of strings. */
export function hintsOf(body: CreateServerBody): Record<string, string[]> {
  const hints = body['os:scheduler_hints'] ?? body['OS-SCH-HNT:scheduler_hints'] ?? {}
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
  return Object.fromEntries(Object.entries(hints).map(([name, value]) => [name, [value].flat().map(text)]))
}

/** The group of the hint; throws `invalid` when it is not there, `over-quota` when it has no room. */
export async function groupOf(
  request: ApiRequest<never>,
  deps: ApiDbDeps,
  hints: Readonly<Record<string, readonly string[]>>,
  limits: Limits,
  count: number,
): Promise<ServerGroup | undefined> {
  const uuid = hints['group']?.[0]
  if (uuid === undefined) return undefined
  const group = await findServerGroup(deps.apiDb, uuid)
  const isOwn = group?.project_id === request.context.projectId || request.can('context_is_admin')
  if (group === undefined || !isOwn) throw new Fault('invalid', serverGroupNotFound(uuid).message)
  const limit = limits.server_group_members
  if (limit >= 0 && group.members.length + count > limit) {
    throw new Fault('over-quota', 'Quota exceeded, too many servers in group')
  }
  return group
}
