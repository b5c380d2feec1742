/** What neutron's server and agents must agree on, and what compute waits for. */
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Finding } from '../finding.ts'
import { atName, atValue, type LintContext, lastSetting, ofKind, placeOf, type Rule } from '../rule.ts'
import { commentIn } from './values.ts'

export const networks: Rule = (context) => [
  ...typesWithoutDriver(context),
  ...physicalNetworks(context),
  ...silentPorts(context),
  ...pluginLink(context),
]

const items = (value: string): string[] =>
  value
    .slice(0, commentIn(value) ?? value.length)
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

function typesWithoutDriver({ files }: LintContext): Finding[] {
  const drivers = lastSetting(files, { group: 'ml2', name: 'type_drivers' })
  const tenant = lastSetting(files, { group: 'ml2', name: 'tenant_network_types' })
  if (drivers === undefined || tenant === undefined) return []
  const missing = items(tenant.setting.value).filter((type) => !items(drivers.setting.value).includes(type))
  return missing.map((type) =>
    atValue(tenant.file, tenant.setting, {
      rule: 'type-without-driver',
      severity: 'error',
      what: `tenant_network_types has ${type}, which is not among the type_drivers.`,
      why: `type_drivers (${placeOf(drivers.file, drivers.setting)}) says which types there are at all: no network of a project can be made.`,
      fix: `Add ${type} to type_drivers, or take it out here.`,
    }),
  )
}

/** Physical networks that the server may use and that no agent among these files carries. */
function physicalNetworks({ files }: LintContext): Finding[] {
  const agents = ofKind(files, 'linuxbridge_agent.ini')
  const carried = new Set(
    agents.flatMap((file) =>
      ['physical_interface_mappings', 'bridge_mappings'].flatMap((name) =>
        items(lastSetting([file], { group: 'linux_bridge', name })?.setting.value ?? '').map(
          (pair) => pair.split(':')[0]!,
        ),
      ),
    ),
  )
  if (carried.size === 0) return []
  const flat = lastSetting(files, { group: 'ml2_type_flat', name: 'flat_networks' })
  const vlan = lastSetting(files, { group: 'ml2_type_vlan', name: 'network_vlan_ranges' })
  return [flat, vlan].flatMap((found) => {
    if (found === undefined) return []
    const wanted = items(found.setting.value).map((item) => item.split(':')[0]!)
    return wanted
      .filter((name) => name !== '*' && !carried.has(name))
      .map((name) =>
        atValue(found.file, found.setting, {
          rule: 'physical-network',
          severity: 'warning',
          what: `No agent here carries the physical network ${name}.`,
          why: `The agents map ${[...carried].join(', ')}. Ports on a network of ${name} cannot be bound on their hosts.`,
          fix: 'Write the same name here and in physical_interface_mappings of linuxbridge_agent.ini.',
        }),
      )
  })
}

function silentPorts({ files }: LintContext): Finding[] {
  const found = lastSetting(files, { name: 'notify_nova_on_port_status_changes' })
  if (found === undefined || !/^(false|0|no|off)$/i.test(found.setting.value)) return []
  return [
    atName(found.file, found.setting, {
      rule: 'silent-ports',
      severity: 'warning',
      what: 'neutron is told not to tell nova when a port is wired.',
      why: 'Every new server then waits for vif_plugging_timeout (five minutes) and fails, unless vif_plugging_is_fatal is off.',
      fix: 'Write notify_nova_on_port_status_changes = true.',
    }),
  ]
}

/** `/etc/neutron/plugin.ini`, beside the files that were given or among them. */
function pluginLink({ files }: LintContext): Finding[] {
  const beside = ofKind(files, 'neutron.conf').map(({ path }) => join(dirname(path), 'plugin.ini'))
  const paths = new Set([
    ...beside,
    ...files.map(({ path }) => path).filter((path) => basename(path) === 'plugin.ini'),
  ])
  return [...paths].flatMap((path) => {
    const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
    if (!isLink) return []
    const said = (what: string): Finding => ({
      rule: 'plugin-link',
      severity: 'warning',
      path,
      line: 1,
      column: 1,
      length: 1,
      what,
      why: 'neutron-server reads it where it is started without --config-file.',
      fix: 'ln -sf /etc/neutron/plugins/ml2/ml2_conf.ini /etc/neutron/plugin.ini, or take it out: it is not needed.',
    })
    if (!existsSync(path)) return [said(`plugin.ini points to ${readlinkSync(path)}, which is not there.`)]
    const target = realpathSync(path)
    return basename(target) === 'ml2_conf.ini'
      ? []
      : [said(`plugin.ini points to ${target}, not to ml2_conf.ini.`)]
  })
}
