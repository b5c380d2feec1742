/** `POST /servers`: all that can be known to be wrong is found out here, then what is wanted is written at once. */
import { timestamp } from '../../../../base/clock.ts'
import { Fault, isFault } from '../../../../base/errors.ts'
import type { ApiRequest } from '../../../../base/http/route.ts'
import { newUuid } from '../../../../base/ids.ts'
import { requestBuilds } from '../../../rpc/request-work.ts'
import { type Flavor, getFlavor } from '../../../store/flavors.ts'
import { countUsage } from '../../../store/instance-mappings.ts'
import type { KeypairSnapshot, NewInstance } from '../../../store/instance-records.ts'
import { findKeypair } from '../../../store/keypairs.ts'
import type { RequestedImage, RequestSpec } from '../../../store/request-specs.ts'
import { addGroupMembers } from '../../../store/server-groups.ts'
import type { ApiDbDeps, CellDeps, EngineDeps, ImageDeps, NetworkDeps } from '../../deps.ts'
import { linkMaker } from '../../links.ts'
import { assertServersFit, type Limits, limitsOfBoth } from '../../quotas/limits.ts'
import { isTrue } from '../../schema-types.ts'
import { shortAddress } from '../addresses.ts'
import type { CreateServerBody, NewServer } from './body.ts'
import { assertSizes, assertUserData, groupOf, hintsOf } from './checks.ts'
import { imageOf } from './image.ts'
import { displayName, hostnameOf, newPassword, newReservationId } from './names.ts'
import { networksOf, securityGroupIdsOf } from './networks.ts'
import { type Place, placeOf } from './place.ts'

export type CreateDeps = CellDeps & EngineDeps & NetworkDeps & ImageDeps

/** What all servers of one request have in common. */
interface Order {
  server: NewServer
  flavor: Flavor
  image: RequestedImage
  keypairs: KeypairSnapshot[]
  place: Place
  reservationId: string
  count: number
  createdAt: string
}

export async function createServer(request: ApiRequest<CreateServerBody>, deps: CreateDeps) {
  const asking = request as unknown as ApiRequest<never>
  const { server } = request.body
  const { userId } = request.context
  const projectId = request.context.projectId ?? ''
  if (server.trusted_image_certificates) request.authorize('os_compute_api:servers:create:trusted_certs')
  if (server.block_device_mapping?.length || server.block_device_mapping_v2?.length) {
    request.authorize('os_compute_api:servers:create:attach_volume')
  }
  const [min, max] = countsOf(server, deps)
  assertUserData(server)
  const [flavor, place, limitsOfAll, keypairs] = await Promise.all([
    flavorOf(asking, deps, server),
    placeOf(asking, deps, server),
    limitsOfBoth(deps.apiDb, deps.config, projectId, userId),
    keypairsOf(asking, deps, server),
  ])
  const limits = limitsOfAll.user ?? limitsOfAll.project
  assertSizes(server, limits)
  const [image, plan, securityGroupIds] = await Promise.all([
    imageOf(asking, deps, server, flavor),
    networksOf(asking, deps, server.networks, max),
    securityGroupIdsOf(asking, deps, server.security_groups),
  ])
  if (plan.room < min) throw new Fault('over-quota', 'Maximum number of ports exceeded')
  // Where the number is fixed, there is no need to know before.
  const room = min === max ? max : await roomFor(deps, limits, projectId, flavor)
  const count = Math.max(min, Math.min(max, plan.room, room))
  const hints = hintsOf(request.body)
  const group = await groupOf(asking, deps, hints, limits, count)
  const reservationId = newReservationId()
  const order: Order = {
    server,
    flavor,
    image,
    keypairs,
    place,
    reservationId,
    count,
    createdAt: timestamp(),
  }
  const builds = Array.from({ length: count }, (_, index) => {
    const instance = newInstance(asking, order, index)
    const spec: RequestSpec = {
      instanceUuid: instance.row.uuid,
      projectId,
      userId,
      numInstances: count,
      image,
      flavor,
      ...place,
      ignoreHosts: [],
      schedulerHints: hints,
      groupUuid: group?.uuid ?? null,
      networks: plan.networks,
      securityGroupIds,
      personality: (server.personality ?? []).map(({ path = '', contents = '' }) => ({ path, contents })),
    }
    return { instance, spec }
  })
  const asked = {
    projectId,
    userId,
    instances: count,
    cores: count * flavor.vcpus,
    ram: count * flavor.memory_mb,
  }
  const requester = { requestId: request.requestId, userId, projectId }
  await requestBuilds(deps, builds, requester, async (transaction) => {
    const uuids = builds.map(({ instance }) => instance.row.uuid)
    if (group !== undefined) await addGroupMembers(transaction, group, uuids)
    await assertServersFit(transaction, limitsOfAll, asked)
  })
  return answer(request, deps, order, builds[0]!.instance)
}

function countsOf(server: NewServer, deps: ApiDbDeps): [min: number, max: number] {
  const min = Number(server.min_count ?? 1)
  const max = Number(server.max_count ?? min)
  if (min > max) throw new Fault('invalid', 'min_count must be <= max_count')
  if (max > deps.config.maxServersPerRequest) {
    throw new Fault('invalid', `max_count must be <= ${deps.config.maxServersPerRequest}`)
  }
  if (max > 1 && server.hostname !== undefined) {
    throw new Fault('invalid', 'Unable to allocate a single hostname to multiple instances')
  }
  return [min, max]
}

async function flavorOf(request: ApiRequest<never>, deps: ApiDbDeps, server: NewServer): Promise<Flavor> {
  const everything = request.can('context_is_admin')
  const id = String(server.flavorRef).split('/').at(-1)!
  try {
    const flavor = await getFlavor(deps.apiDb, id, everything ? undefined : request.context.projectId)
    if (flavor.disabled === 0) return flavor
  } catch (error) {
    if (!isFault(error, 'not-found')) throw error
  }
  throw new Fault('invalid', `Flavor ${id} could not be found.`)
}

async function keypairsOf(
  request: ApiRequest<never>,
  deps: ApiDbDeps,
  server: NewServer,
): Promise<KeypairSnapshot[]> {
  if (server.key_name === undefined) return []
  const keypair = await findKeypair(deps.apiDb, request.context.userId, server.key_name)
  if (keypair === undefined) throw new Fault('invalid', 'Invalid key_name provided.')
  const { name, type, public_key } = keypair
  return [{ name, type: type === 'x509' ? 'x509' : 'ssh', public_key }]
}

// How many servers of the flavor the quota leaves room for; settled for good when they are written.
async function roomFor(deps: ApiDbDeps, limits: Limits, projectId: string, flavor: Flavor): Promise<number> {
  const used = await countUsage(deps.apiDb, projectId)
  const room = (limit: number, taken: number, each: number) =>
    limit < 0 || each === 0 ? Number.POSITIVE_INFINITY : Math.floor((limit - taken) / each)
  return Math.min(
    room(limits.instances, used.instances, 1),
    room(limits.cores, used.cores, flavor.vcpus),
    room(limits.ram, used.ram, flavor.memory_mb),
  )
}

function newInstance(request: ApiRequest<never>, order: Order, index: number): NewInstance {
  const { server, flavor, image, keypairs, place } = order
  const uuid = newUuid()
  const name = displayName(server.name, index, order.count)
  const diskConfig = server['OS-DCF:diskConfig']
  const autoDisk =
    diskConfig === undefined ? isTrue(image.properties['auto_disk_config']) : diskConfig === 'AUTO'
  return {
    row: {
      id: 0,
      uuid,
      user_id: request.context.userId,
      project_id: request.context.projectId ?? '',
      image_ref: image.id,
      launch_index: index,
      key_name: server.key_name ?? null,
      key_data: keypairs[0]?.public_key ?? null,
      power_state: 0,
      vm_state: 'building',
      task_state: 'scheduling',
      memory_mb: flavor.memory_mb,
      vcpus: flavor.vcpus,
      root_gb: flavor.root_gb,
      ephemeral_gb: flavor.ephemeral_gb,
      hostname: server.hostname ?? hostnameOf(name, uuid),
      host: null,
      node: null,
      launched_on: null,
      user_data: server.user_data ?? null,
      reservation_id: order.reservationId,
      launched_at: null,
      terminated_at: null,
      availability_zone: place.availabilityZone,
      display_name: name,
      display_description: request.atLeast('2.19') ? (server.description ?? null) : name,
      locked: 0,
      locked_by: null,
      config_drive: isTrue(server.config_drive) ? 'True' : '',
      progress: 0,
      auto_disk_config: autoDisk ? 1 : 0,
      access_ip_v4: server.accessIPv4 ?? null,
      access_ip_v6: shortAddress(server.accessIPv6) ?? null,
      root_device_name: '/dev/vda',
      flow_id: null,
      created_at: order.createdAt,
      updated_at: null,
      deleted_at: null,
      deleted: 0,
    },
    flavor,
    keypairs,
    trustedCerts: server.trusted_image_certificates ?? null,
    metadata: server.metadata ?? {},
    systemMetadata: {},
    tags: [...new Set(server.tags ?? [])],
  }
}

function answer(
  request: ApiRequest<CreateServerBody>,
  deps: ApiDbDeps,
  order: Order,
  { row }: NewInstance,
): object {
  const { server } = order
  if (isTrue(server.return_reservation_id)) return { reservation_id: order.reservationId }
  const links = linkMaker(request as ApiRequest, 'servers')(row.uuid)
  request.setHeader('location', links[0]!.href)
  const password = deps.config.enableInstancePassword ? { adminPass: server.adminPass ?? newPassword() } : {}
  return {
    server: {
      id: row.uuid,
      links,
      'OS-DCF:diskConfig': row.auto_disk_config === 1 ? 'AUTO' : 'MANUAL',
      security_groups: server.security_groups ?? [{ name: 'default' }],
      ...password,
    },
  }
}
