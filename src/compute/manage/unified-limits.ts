/** `nova-manage limits migrate_to_unified_limits`: copies quotas of compute into identity, as limits of its service. */
import { describeError, Fault } from '../../base/errors.ts'
import type { HttpCall, HttpReply, Send } from '../../base/http/client.ts'
import type { Given, ManageCommand } from '../../base/manage/program.ts'
import { listClassQuotas, listProjectQuotas } from '../store/quotas.ts'
import type { NovaManage } from './deps.ts'
import { exitsWith } from './instance-at.ts'

/** The names of nova's resources among unified limits, by their names among quotas. */
export const limitNames: Readonly<Record<string, string>> = {
  instances: 'servers',
  cores: 'class:VCPU',
  ram: 'class:MEMORY_MB',
  metadata_items: 'server_metadata_items',
  injected_files: 'server_injected_files',
  injected_file_content_bytes: 'server_injected_file_content_bytes',
  injected_file_path_bytes: 'server_injected_file_path_bytes',
  key_pairs: 'server_key_pairs',
  server_groups: 'server_groups',
  server_group_members: 'server_group_members',
}

export const unifiedLimitsCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'limits migrate_to_unified_limits',
    help: 'copy the quotas of compute into identity; what is there already stays as it is',
    options: [
      { flags: '--project-id <project-id>', help: 'the quotas of this project only, besides the defaults' },
      { flags: '--region-id <region-id>', help: 'make limits of this region, instead of all' },
      { flags: '--verbose', help: 'tell of each limit' },
      { flags: '--dry-run', help: 'tell what would be made, and make nothing' },
    ],
    run: exitsWith({}, migrateToUnifiedLimits),
  },
]

interface Wanted {
  resource_name: string
  /** Undefined: the default of all projects. */
  project_id?: string
  amount: number
}

async function migrateToUnifiedLimits(given: Given, deps: NovaManage): Promise<number> {
  const dryRun = given['dryRun'] === true
  const say = dryRun || given['verbose'] === true ? deps.print : () => undefined
  let wanted: readonly Wanted[]
  try {
    wanted = await legacyLimits(deps, given['projectId'] as string | undefined)
  } catch (error) {
    deps.print(`Failed to connect to the database, nothing was migrated: ${describeError(error)}`)
    return 2
  }
  const send = await deps.identity()
  const region = given['regionId'] as string | undefined
  const place = { service_id: await serviceId(send), ...(region === undefined ? {} : { region_id: region }) }
  const there = await limitsThere(send, place)
  for (const one of wanted) {
    const { resource_name, project_id, amount } = one
    const what =
      project_id === undefined
        ? `default limit ${resource_name} = ${amount}`
        : `limit ${resource_name} = ${amount} of project ${project_id}`
    if (there.has(keyOf(one))) {
      say(`Found in identity already, left as it is: ${what}`)
      continue
    }
    if (dryRun) {
      say(`Would create ${what}`)
      continue
    }
    const body =
      project_id === undefined
        ? { registered_limits: [{ ...place, resource_name, default_limit: amount }] }
        : { limits: [{ ...place, project_id, resource_name, resource_limit: amount }] }
    const path = project_id === undefined ? '/v3/registered_limits' : '/v3/limits'
    // Who is no administrator of the system is not shown the limits of other projects.
    const isNew = await create(send, path, body)
    say(`${isNew ? 'Created' : 'Found in identity already, left as it is:'} ${what}`)
  }
  return 0
}

/** Defaults first: identity takes a project's limit of what has one. */
async function legacyLimits(deps: NovaManage, projectId: string | undefined): Promise<Wanted[]> {
  const db = deps.apiDb()
  const ofClass = await listClassQuotas(db, 'default')
  const defaults = Object.entries(deps.settings.quota).map(([resource, standard]) => ({
    resource,
    hard_limit: ofClass.get(resource) ?? standard,
    project_id: undefined,
  }))
  const ofProjects = await listProjectQuotas(db, projectId)
  return [...defaults, ...ofProjects].flatMap(({ resource, hard_limit, project_id }) => {
    const name = limitNames[resource]
    if (name === undefined) return []
    return [{ resource_name: name, amount: hard_limit, ...(project_id === undefined ? {} : { project_id }) }]
  })
}

const keyOf = ({ project_id, resource_name }: Omit<Wanted, 'amount'>): string =>
  `${project_id ?? ''} ${resource_name}`

interface Place {
  service_id: string
  region_id?: string
}

interface Limit extends Omit<Wanted, 'amount'> {
  region_id: string | null
}

/** The keys of the limits that identity has of the service in the region, or of no region. */
async function limitsThere(send: Send, { service_id, region_id }: Place): Promise<Set<string>> {
  const query = `?service_id=${encodeURIComponent(service_id)}`
  const registered = await ask(send, { method: 'GET', path: `/v3/registered_limits${query}` })
  const limits = await ask(send, { method: 'GET', path: `/v3/limits${query}` })
  const all = [...(registered['registered_limits'] as Limit[]), ...(limits['limits'] as Limit[])]
  return new Set(all.filter((limit) => (limit.region_id ?? undefined) === region_id).map(keyOf))
}

async function serviceId(send: Send): Promise<string> {
  const { services } = await ask(send, { method: 'GET', path: '/v3/services?type=compute' })
  const [service] = services as { id: string }[]
  if (service !== undefined) return service.id
  throw new Fault('not-found', 'Identity has no service of type compute: openstack service create compute')
}

/** False when there is such a limit already. */
async function create(send: Send, path: string, body: unknown): Promise<boolean> {
  const call: HttpCall = { method: 'POST', path, body }
  const reply = await send(call)
  if (reply.status !== 409) accepted(call, reply)
  return reply.status !== 409
}

const ask = async (send: Send, call: HttpCall) => accepted(call, await send(call))

/** The body of a reply; a Fault when the call was refused. */
function accepted(call: HttpCall, { status, body }: HttpReply): Record<string, unknown> {
  if (status < 300) return body as Record<string, unknown>
  const said = (body as { error?: { message?: string } } | undefined)?.error?.message ?? ''
  const fix =
    status === 403
      ? ' The user of [keystone_authtoken] must be an administrator: of the system (system_scope = all), with keystone as it comes.'
      : ''
  throw new Fault('unavailable', `Identity answered ${status} to ${call.method} ${call.path}: ${said}${fix}`)
}
