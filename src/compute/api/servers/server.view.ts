import { createHash } from 'node:crypto'
import { showSeconds } from '../../../base/clock.ts'
import { viewAt } from '../../../base/http/fields.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import type { Flavor } from '../../store/flavors.ts'
import { guestName } from '../../store/instance-changes.ts'
import type { Instance } from '../../store/instance-records.ts'
import { bookmarkMaker, linkMaker } from '../links.ts'
import { addressesOf } from './addresses.ts'
import { type FlavorPart, type ServerView, serverFields, serverHistory } from './server.ts'
import { serverStatus } from './status.ts'
import type { ServerSurroundings } from './surroundings.ts'

const withProgress = new Set(['ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING'])
const withFault = new Set(['ERROR', 'DELETED'])

/** Microseconds, no zone: how nova shows when a server was launched. */
const bare = (stored: string | null): string | null =>
  stored === null ? null : `${stored.slice(0, -1).padEnd(23, '0')}000`

/** The flavor within a server. */
export function flavorPart(flavor: Flavor, withExtraSpecs: boolean): FlavorPart {
  const part: FlavorPart = {
    vcpus: flavor.vcpus,
    ram: flavor.memory_mb,
    disk: flavor.root_gb,
    ephemeral: flavor.ephemeral_gb,
    swap: flavor.swap,
    original_name: flavor.name,
  }
  if (withExtraSpecs) part.extra_specs = flavor.extra_specs
  return part
}

/** Shows servers to one caller; what policies let him see is asked once, not for each server. */
export function serverViewer(request: ApiRequest<never>, around: ServerSurroundings) {
  const links = linkMaker(request as ApiRequest, 'servers')
  const imageLinks = bookmarkMaker(request as ApiRequest, 'images')
  const flavorLinks = bookmarkMaker(request as ApiRequest, 'flavors')
  const isAdmin = request.can('context_is_admin')
  const seesAttributes = request.can('os_compute_api:os-extended-server-attributes')
  const seesExtraSpecs = request.can('os_compute_api:servers:show:flavor-extra-specs')
  const seesHostStatus = request.can('os_compute_api:servers:show:host_status')
  const seesUnknown = request.can('os_compute_api:servers:show:host_status:unknown-only')
  const version = request.microversion
  const flavorParts = new Map<unknown, FlavorPart>()
  const hostIds = new Map<string, string>()
  let flavorid = ''
  const history = serverHistory({
    isAdmin: seesAttributes,
    flavorLink: () => ({ id: flavorid, links: flavorLinks(flavorid) }),
  })

  function flavorOf({ flavor }: Instance): FlavorPart {
    const known = flavorParts.get(flavor)
    if (known !== undefined) return known
    const part = flavorPart(flavor, seesExtraSpecs)
    flavorParts.set(flavor, part)
    return part
  }

  // So that the owner can tell whether two servers share a host, but not which one it is.
  function hostId({ host, project_id }: Instance): string {
    if (host === null) return ''
    const key = project_id + host
    const known = hostIds.get(key) ?? createHash('sha224').update(key).digest('hex')
    hostIds.set(key, known)
    return known
  }

  function faultOf({ fault }: Instance) {
    if (fault === null) return undefined
    const { code, message, created_at, details } = fault
    const view = { code, created: showSeconds(created_at), message }
    return details !== null && (isAdmin || code !== 500) ? { ...view, details } : view
  }

  function addAttributes(view: ServerView, instance: Instance): void {
    view['OS-EXT-SRV-ATTR:hostname'] = instance.hostname
    if (!seesAttributes) return
    view['OS-EXT-SRV-ATTR:host'] = instance.host
    view['OS-EXT-SRV-ATTR:instance_name'] = guestName(instance.id)
    view['OS-EXT-SRV-ATTR:hypervisor_hostname'] = instance.node
    view['OS-EXT-SRV-ATTR:reservation_id'] = instance.reservation_id
    view['OS-EXT-SRV-ATTR:launch_index'] = instance.launch_index
    view['OS-EXT-SRV-ATTR:kernel_id'] = ''
    view['OS-EXT-SRV-ATTR:ramdisk_id'] = ''
    view['OS-EXT-SRV-ATTR:root_device_name'] = instance.root_device_name
    if (around.userData) view['OS-EXT-SRV-ATTR:user_data'] = instance.user_data
  }

  return {
    brief: (instance: Instance) => ({
      id: instance.uuid,
      name: instance.display_name,
      links: links(instance.uuid),
    }),
    whole(instance: Instance): ServerView {
      const { uuid } = instance
      const status = serverStatus(instance)
      const view: ServerView = {
        id: uuid,
        name: instance.display_name,
        status,
        tenant_id: instance.project_id,
        user_id: instance.user_id,
        metadata: instance.metadata,
        hostId: hostId(instance),
        image:
          instance.image_ref === '' ? '' : { id: instance.image_ref, links: imageLinks(instance.image_ref) },
        flavor: flavorOf(instance),
        created: showSeconds(instance.created_at),
        updated: showSeconds(instance.updated_at ?? instance.created_at),
        addresses: instance.vm_state === 'building' ? {} : addressesOf(instance.networkInfo),
        accessIPv4: instance.access_ip_v4 ?? '',
        accessIPv6: instance.access_ip_v6 ?? '',
        links: links(uuid),
        'OS-DCF:diskConfig': instance.auto_disk_config === 1 ? 'AUTO' : 'MANUAL',
        'OS-EXT-AZ:availability_zone': around.zoneOf(instance),
        config_drive: instance.config_drive,
        key_name: instance.key_name,
        'OS-SRV-USG:launched_at': bare(instance.launched_at),
        'OS-SRV-USG:terminated_at': bare(instance.terminated_at),
        'OS-EXT-STS:task_state': instance.task_state,
        'OS-EXT-STS:vm_state': instance.vm_state,
        'OS-EXT-STS:power_state': instance.power_state,
        'os-extended-volumes:volumes_attached': [],
        locked: instance.locked === 1,
        locked_reason: instance.systemMetadata['locked_reason'] ?? null,
        description: instance.display_description,
        tags: instance.tags,
        trusted_image_certificates: instance.trustedCerts,
      }
      const fault = withFault.has(status) ? faultOf(instance) : undefined
      if (fault !== undefined) view['fault'] = fault
      if (withProgress.has(status)) view['progress'] = instance.progress
      addAttributes(view, instance)
      if (version >= 2016 && (seesHostStatus || seesUnknown)) {
        const hostStatus = around.hostStatusOf(instance)
        if (seesHostStatus || hostStatus === 'UNKNOWN') view['host_status'] = hostStatus
      }
      const groups = around.securityGroups.get(uuid)
      if (groups !== undefined && groups.length > 0) view['security_groups'] = groups
      if (around.serverGroupsOf !== undefined) view['server_groups'] = around.serverGroupsOf(uuid)
      if (version >= 2096) view['pinned_availability_zone'] = around.pinnedZoneOf(uuid)
      flavorid = instance.flavor.flavorid
      return viewAt(serverFields, history, version, view)
    },
  }
}
