/** The facts of a server as the metadata service gives them: read when they are asked for. */
import type { NetworkClient, NetworkInterface } from '#network/client.ts'
import { mergeSystemMetadata } from '../store/instance-changes.ts'
import type { Instance } from '../store/instance-records.ts'
import { findInstance, type InstanceDbs } from '../store/instances.ts'
import type { MetadataDeps } from './app.ts'
import type { InstanceFacts } from './facts.ts'

/** nova keeps a posted password in four pieces of this length. */
const pieceLength = 255

/** What the metadata service asks of the databases and of Network. */
export function metadataSource(
  deps: InstanceDbs & { network: NetworkClient },
): Pick<MetadataDeps, 'instanceAt' | 'findFacts' | 'setPassword'> {
  return {
    async instanceAt(address) {
      const ports = await deps.network.listPorts({ fixedIp: address })
      const guests = ports.filter((port) => port.deviceOwner.startsWith('compute:'))
      const ids = new Set(guests.map((port) => port.deviceId))
      return ids.size === 1 ? [...ids][0] : undefined
    },
    async findFacts(uuid) {
      const instance = await findInstance(deps, uuid)
      if (instance === undefined) return undefined
      const interfaces = await deps.network.networksOf(uuid)
      const ids = [...new Set(interfaces.flatMap(({ port }) => port.securityGroupIds))]
      const groups = ids.length === 0 ? [] : await deps.network.listSecurityGroups({ ids })
      return factsOf(
        instance,
        interfaces,
        groups.map((group) => group.name),
      )
    },
    async setPassword(uuid, password) {
      const instance = await findInstance(deps, uuid)
      if (instance?.cell == null) return
      const pieces = [0, 1, 2, 3].map((index): [string, string] => [
        `password_${index}`,
        password.slice(index * pieceLength, (index + 1) * pieceLength),
      ])
      await mergeSystemMetadata(instance.cell.db, uuid, Object.fromEntries(pieces))
    },
  }
}

/** What metadata tells the guest; the same on a config drive and from the metadata service. */
export function factsOf(
  instance: Instance,
  interfaces: readonly NetworkInterface[],
  securityGroups: readonly string[],
): InstanceFacts {
  const [key] = instance.keypairs
  const passwordPieces = [0, 1, 2, 3].map((index) => instance.systemMetadata[`password_${index}`] ?? '')
  return {
    uuid: instance.uuid,
    number: instance.id,
    displayName: instance.display_name,
    hostname: instance.hostname,
    projectId: instance.project_id,
    imageId: instance.image_ref,
    flavorName: instance.flavor.name,
    availabilityZone: instance.availability_zone ?? '',
    launchIndex: instance.launch_index,
    reservationId: instance.reservation_id,
    meta: instance.metadata,
    keypair: key === undefined ? null : { name: key.name, type: key.type, publicKey: key.public_key },
    userData: instance.user_data,
    securityGroups,
    interfaces,
    postedPassword: passwordPieces.join(''),
  }
}
