/** What the server boots from, and whether the flavor is large enough for it. */
import { Fault, isFault } from '../../../../base/errors.ts'
import type { ApiRequest } from '../../../../base/http/route.ts'
import type { Flavor } from '../../../store/flavors.ts'
import type { RequestedImage } from '../../../store/request-specs.ts'
import type { ImageDeps } from '../../deps.ts'
import type { BlockDevice, NewServer } from './body.ts'

const gibibyte = 1024 ** 3

/** The image, checked. Throws `invalid` when the server could not boot from it. */
export async function imageOf(
  request: ApiRequest<never>,
  deps: ImageDeps,
  server: NewServer,
  flavor: Flavor,
): Promise<RequestedImage> {
  assertDevices(server, flavor)
  if (!server.imageRef) throw new Fault('invalid', 'Invalid imageRef provided.')
  const image = await findImage(request, deps, server.imageRef)
  if (image.status !== 'active') throw new Fault('invalid', `Image ${image.id} is not active.`)
  if (flavor.memory_mb < image.minRam) {
    throw new Fault('invalid', "Flavor's memory is too small for requested image.")
  }
  assertDisk(request, flavor, image)
  return {
    id: image.id,
    name: image.name ?? '',
    diskFormat: image.diskFormat ?? 'raw',
    containerFormat: image.containerFormat ?? 'bare',
    size: image.size ?? 0,
    minDiskGb: image.minDisk,
    minRamMb: image.minRam,
    properties: { ...image.properties },
  }
}

async function findImage(request: ApiRequest<never>, deps: ImageDeps, id: string) {
  try {
    return await deps.imagesFor(request.context.token).show(id)
  } catch (error) {
    if (isFault(error, 'not-found')) throw new Fault('invalid', 'Can not find requested image', { id }, error)
    throw error
  }
}

function assertDisk(
  request: ApiRequest<never>,
  flavor: Flavor,
  image: { size: number | null; minDisk: number },
): void {
  if (flavor.root_gb === 0) {
    // Such a disk is as large as the image, which the quota knows nothing of.
    if (request.can('os_compute_api:servers:create:zero_disk_flavor')) return
    throw new Fault('forbidden', 'Only volume-backed servers are allowed for flavors with zero disk.')
  }
  const bytes = flavor.root_gb * gibibyte
  if ((image.size ?? 0) > bytes) {
    throw new Fault(
      'invalid',
      `Flavor's disk is too small for requested image. Flavor disk is ${bytes} bytes, image is ${image.size} bytes.`,
    )
  }
  if (image.minDisk > flavor.root_gb) {
    throw new Fault(
      'invalid',
      `Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is ${bytes} bytes, minimum size is ${image.minDisk * gibibyte} bytes.`,
    )
  }
}

const invalidDevice = (detail: string) => new Fault('invalid', `Block Device Mapping is Invalid: ${detail}`)

// There is no volume service: disks are the flavor's own, on the host.
function assertDevices(server: NewServer, flavor: Flavor): void {
  const { block_device_mapping: legacy = [], block_device_mapping_v2: devices = [] } = server
  if (legacy.length > 0 && devices.length > 0) {
    throw new Fault(
      'invalid',
      'Using different block_device_mapping syntaxes is not allowed in the same request.',
    )
  }
  for (const device of legacy) {
    if (device.volume_id !== undefined) throw invalidDevice(`failed to get volume ${device.volume_id}.`)
    if (device.snapshot_id !== undefined) throw invalidDevice(`failed to get snapshot ${device.snapshot_id}.`)
  }
  for (const device of devices) if (device.no_device === undefined) assertDevice(server, device)
  const blank = devices.filter(({ source_type: source }) => source === 'blank')
  const size = (of: BlockDevice[]) => of.reduce((all, one) => all + Number(one.volume_size ?? 0), 0)
  const isSwap = (device: BlockDevice) => device.guest_format === 'swap'
  if (size(blank.filter(isSwap)) > flavor.swap) {
    throw invalidDevice('Swap drives requested are larger than instance type allows.')
  }
  if (size(blank.filter((device) => !isSwap(device))) > flavor.ephemeral_gb) {
    throw invalidDevice('Ephemeral disks requested are larger than the instance type allows.')
  }
}

function assertDevice(server: NewServer, device: BlockDevice): void {
  const { source_type: source, destination_type: destination, uuid } = device
  if (source === 'blank' && uuid !== undefined) throw invalidDevice('Invalid device UUID.')
  if (source !== 'blank' && uuid === undefined) throw invalidDevice('Missing device UUID.')
  if (source === 'volume') throw invalidDevice(`failed to get volume ${uuid}.`)
  if (source === 'snapshot') throw invalidDevice(`failed to get snapshot ${uuid}.`)
  if (destination === 'volume') throw invalidDevice('there is no volume service to make a volume.')
  if (destination === 'local' && device.volume_type != null) {
    throw invalidDevice('Specifying a volume_type with destination_type=local is not supported.')
  }
  if (source === 'image' && !(server.imageRef && Number(device.boot_index ?? -1) === 0)) {
    throw invalidDevice('Mapping image to local is not supported.')
  }
}
