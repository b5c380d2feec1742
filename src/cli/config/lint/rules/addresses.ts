/** Addresses and interfaces that must be this host's, and consoles that the world can reach. */
import { isIP } from 'node:net'
import type { Finding } from '../finding.ts'
import { nearest } from '../nearest.ts'
import { allSettings, atName, atValue, type LintContext, lastSetting, ofKind, type Rule } from '../rule.ts'
import { commentIn } from './values.ts'

export const addresses: Rule = (context) => [
  ...notLocal(context),
  ...openConsoles(context),
  ...consoleUrls(context),
  ...interfaces(context),
  ...tunnelEnds(context),
]

const isTrue = (value: string) => /^(true|1|yes|on)$/i.test(value)

/** Addresses that a program of this host listens on or is reached by. */
function notLocal(context: LintContext): Finding[] {
  const { host, files } = context
  if (host === undefined) return []
  const local = [
    { name: 'my_ip' },
    { group: 'vxlan', name: 'local_ip' },
    { group: 'vnc', name: 'server_listen' },
  ]
  return local.flatMap((option) =>
    allSettings(files, option).flatMap(({ file, setting }) => {
      const { value } = setting
      if (isIP(value) === 0 || ['0.0.0.0', '::'].includes(value)) return []
      if (host.addresses.some(({ address }) => address === value)) return []
      const outer = host.addresses.filter(
        ({ name, address }) => name !== 'lo' && isIP(address) === isIP(value) && !address.startsWith('fe80:'),
      )
      const [only] = outer.length === 1 ? outer : []
      const names = outer.map(({ name, address }) => `${address} (${name})`).join(', ') || 'none'
      return atValue(file, setting, {
        rule: 'not-on-this-host',
        severity: 'warning',
        what: `${setting.name} = ${value} is no address of this host.`,
        why: `Others are told to reach this host there. Its addresses are: ${names}.`,
        fix: only === undefined ? 'Write one of them.' : `Did you mean ${only.address} (${only.name})?`,
      })
    }),
  )
}

function openConsoles({ files }: LintContext): Finding[] {
  return allSettings(files, { group: 'vnc', name: 'server_listen' })
    .filter(({ setting }) => ['0.0.0.0', '::'].includes(setting.value))
    .map(({ file, setting }) =>
      atValue(file, setting, {
        rule: 'open-console',
        severity: 'warning',
        what: `The consoles of all guests listen on every address of the host (${setting.name} = ${setting.value}).`,
        why: 'VNC asks for no password here: whoever reaches ports 5900 and up sits at the keyboard of a guest.',
        fix: 'Write $my_ip, and let only the console proxy reach these ports.',
      }),
    )
}

function consoleUrls({ files }: LintContext): Finding[] {
  return allSettings(files, { group: 'vnc', name: 'novncproxy_base_url' }).flatMap(({ file, setting }) => {
    const host = /^https?:\/\/([^/:]+)/.exec(setting.value)?.[1]
    if (host === undefined || (host.includes('.') && host !== '127.0.0.1')) return []
    const isOwn = host === '127.0.0.1' || host === 'localhost'
    const place = isOwn ? "the browser's own machine" : 'a name without a domain'
    return atValue(file, setting, {
      rule: 'console-url',
      severity: 'note',
      what: `Users' browsers are sent to ${host}.`,
      why: `${host} is ${place}: outside the cloud it probably leads nowhere.`,
      fix: 'Write the address or name by which users reach the controller.',
    })
  })
}

/** `physnet:nic` pairs of a mapping as it stands in a file, without a comment behind it. */
function mappings(value: string): { physnet: string; device: string }[] {
  return value
    .slice(0, commentIn(value) ?? value.length)
    .split(',')
    .map((pair) => pair.trim().split(':'))
    .filter((pair) => pair.length === 2)
    .map(([physnet = '', device = '']) => ({ physnet: physnet.trim(), device: device.trim() }))
}

/** Devices that programs make for themselves: nobody means them. */
const made = /^(tap|brq|vxlan-|ifb|virbr|docker|q[grv])/

function interfaces(context: LintContext): Finding[] {
  const { host, files } = context
  if (host === undefined) return []
  const group = 'linux_bridge'
  return [
    ...allSettings(files, { group, name: 'physical_interface_mappings' }),
    ...allSettings(files, { group, name: 'bridge_mappings' }),
  ].flatMap(({ file, setting }) =>
    mappings(setting.value)
      .filter(({ device }) => !host.nics.includes(device))
      .map(({ physnet, device }) => {
        const near = nearest(device, host.nics)
        const from = setting.value.indexOf(device)
        return atValue(
          file,
          setting,
          {
            rule: 'no-such-interface',
            severity: 'error',
            what: `There is no interface ${device} on this host.`,
            why: `The physical network ${physnet} has no way out: ports on it are not wired. There are: ${host.nics.filter((name) => !made.test(name)).join(', ') || 'none'}.`,
            fix:
              near === undefined
                ? 'Write the interface that is on the provider network (ip link shows them).'
                : `Did you mean ${near}?`,
          },
          { from, length: device.length },
        )
      }),
  )
}

function tunnelEnds({ files }: LintContext): Finding[] {
  const agents = ofKind(files, 'linuxbridge_agent.ini')
  return agents.flatMap((file) => {
    const enabled = lastSetting([file], { group: 'vxlan', name: 'enable_vxlan' })
    const local = lastSetting([file], { group: 'vxlan', name: 'local_ip' })
    if (enabled === undefined || !isTrue(enabled.setting.value) || (local?.setting.value ?? '') !== '')
      return []
    return atName(file, enabled.setting, {
      rule: 'no-tunnel-end',
      severity: 'error',
      what: 'enable_vxlan is on, but there is no [vxlan] local_ip.',
      why: 'The agent does not know which address of this host the tunnels end at.',
      fix: 'Write local_ip, the address of this host in the network between the hosts.',
    })
  })
}
