/** The `nova:instance` element of a domain: which server it is, for whoever looks at the host with virsh. */
import { timestamp } from '../../../base/clock.ts'
import type { GuestSpec } from '../driver.ts'
import { element, type Xml } from './xml.ts'

const namespace = 'http://openstack.org/xmlns/libvirt/nova/1.1'

export function novaMetadata(spec: GuestSpec): Xml {
  return element(
    'nova:instance',
    { 'xmlns:nova': namespace },
    element('nova:package', { version: '26.0.0' }),
    element('nova:name', {}, spec.displayName),
    element('nova:creationTime', {}, timestamp().slice(0, 19).replace('T', ' ')),
    element(
      'nova:flavor',
      { name: spec.flavorName },
      element('nova:memory', {}, spec.memoryMb),
      element('nova:disk', {}, spec.rootGb),
      element('nova:swap', {}, spec.swapMb),
      element('nova:ephemeral', {}, spec.ephemeralGb),
      element('nova:vcpus', {}, spec.vcpus),
    ),
    element(
      'nova:owner',
      {},
      element('nova:user', { uuid: spec.userId }),
      element('nova:project', { uuid: spec.projectId }),
    ),
    spec.image === null ? undefined : element('nova:root', { type: 'image', uuid: spec.image.id }),
    element('nova:ports', {}, ...spec.vifs.map((vif) => element('nova:port', { uuid: vif.portId }))),
  )
}
