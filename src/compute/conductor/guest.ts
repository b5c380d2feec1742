/** What an agent must know to build an instance's guest. */
import type { Guest } from '../rpc/agent.ts'
import { guestName } from '../store/instance-changes.ts'
import type { Instance, InstanceRow } from '../store/instance-records.ts'
import type { RequestSpec } from '../store/request-specs.ts'

export function guestOf(
  instance: InstanceRow & Pick<Instance, 'flavor' | 'networkInfo'>,
  spec: RequestSpec,
  configDrive: Record<string, string> | null,
): Guest {
  const { flavor } = instance
  return {
    uuid: instance.uuid,
    name: guestName(instance.id),
    displayName: instance.display_name,
    projectId: instance.project_id,
    userId: instance.user_id,
    vcpus: flavor.vcpus,
    memoryMb: flavor.memory_mb,
    rootGb: flavor.root_gb,
    ephemeralGb: flavor.ephemeral_gb,
    swapMb: flavor.swap,
    flavorName: flavor.name,
    extraSpecs: flavor.extra_specs,
    image:
      spec.image === null
        ? null
        : { id: spec.image.id, diskFormat: spec.image.diskFormat, properties: spec.image.properties },
    vifs: instance.networkInfo.map((vif) => ({
      portId: vif.id,
      networkId: vif.network.id,
      macAddress: vif.address,
      mtu: vif.network.meta.mtu,
      type: vif.type === 'bridge' ? 'bridge' : 'unbound',
      bridgeName: vif.network.bridge,
      devName: vif.devname,
    })),
    configDrive,
  }
}

/** Whether the server asked for a config drive, or the operator wants all to have one. */
export const hasConfigDrive = (instance: InstanceRow, force: boolean): boolean =>
  force || ['true', '1', 'yes', 'on'].includes(instance.config_drive.toLowerCase())
