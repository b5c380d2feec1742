import { table } from '../terminal/table.ts'
import { type CloudSettings, layout, type ServiceName, urlOf } from './settings.ts'

const shown: readonly (readonly [ServiceName, string, string])[] = [
  ['identity', 'Identity (keystone)', '/v3'],
  ['image', 'Image (glance)', ''],
  ['placement', 'Placement', ''],
  ['compute', 'Compute (nova)', '/v2.1'],
  ['metadata', 'Compute metadata', ''],
  ['network', 'Network (neutron)', ''],
]

/** The endpoints, and what to try next. */
export function welcome(stateDir: string, settings: CloudSettings): string {
  const files = layout(stateDir)
  const endpoints = shown.map(([service, name, path]) => [name, `${urlOf(settings, service)}${path}`])
  const kind = settings.simulated
    ? `${settings.hosts} simulated host${settings.hosts === 1 ? '' : 's'}: servers are pretended, everything else is real`
    : `host ${settings.hostName}: servers are QEMU guests`
  return [
    table(['Service', 'Endpoint'], endpoints),
    '',
    `Kilonova is up (${kind}). Try:`,
    '',
    `  . ${files.openrc}`,
    '  openstack catalog list',
    '  openstack server create --image kilonova --flavor m1.nano --network provider --key-name kilonova --wait first',
    '  openstack console log show first',
    ...(settings.simulated ? [] : [`  ssh -i ${files.privateKey} root@ADDRESS`]),
    '',
    'The openstack command is in the package python3-openstackclient.',
    `Other tools: clouds.yaml in ${stateDir}, cloud "kilonova". See also: kilonova verify, status, logs, down`,
  ].join('\n')
}
