/** Which of OpenStack's files a file is: by its name, its directory, or what stands in it. */
import { realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { IniFile } from '../../../base/config/ini.ts'
import type { KnownSet } from '../../../base/config/known.ts'
import type { ProgramName } from '../programs.ts'

export interface FileKind {
  /** `nova.conf` */
  name: string
  /** Whose configuration it is, for sentences: `nova`. */
  project: string
  /** Options that may stand in it. */
  sets: readonly KnownSet[]
  /** Programs that read it: what their tables hold has an effect. */
  programs: readonly ProgramName[]
}

const shared = ['oslo', 'keystoneauth'] as const
const neutronSets = ['neutron', ...shared] as const
const agent = (name: string, set: KnownSet, program: ProgramName | undefined): FileKind => ({
  name,
  project: 'neutron',
  sets: [set, ...neutronSets],
  programs: program === undefined ? [] : [program],
})

export const fileKinds: readonly FileKind[] = [
  {
    name: 'nova.conf',
    project: 'nova',
    sets: ['nova', ...shared],
    programs: ['nova-api', 'nova-conductor', 'nova-scheduler', 'nova-compute'],
  },
  { name: 'ml2_conf.ini', project: 'neutron', sets: ['ml2', ...neutronSets], programs: ['neutron-server'] },
  agent('linuxbridge_agent.ini', 'linuxbridge-agent', 'neutron-linuxbridge-agent'),
  agent('dhcp_agent.ini', 'dhcp-agent', 'neutron-dhcp-agent'),
  agent('metadata_agent.ini', 'metadata-agent', 'neutron-metadata-agent'),
  agent('openvswitch_agent.ini', 'openvswitch-agent', undefined),
  agent('macvtap_agent.ini', 'macvtap-agent', undefined),
  agent('sriov_agent.ini', 'sriov-agent', undefined),
  agent('l3_agent.ini', 'l3-agent', undefined),
  agent('metering_agent.ini', 'metering-agent', undefined),
  {
    name: 'neutron.conf',
    project: 'neutron',
    // All of neutron's programs read it, so what is an agent's may stand in it, too.
    sets: [
      ...neutronSets,
      'ml2',
      'linuxbridge-agent',
      'openvswitch-agent',
      'macvtap-agent',
      'sriov-agent',
      'dhcp-agent',
      'l3-agent',
      'metadata-agent',
      'metering-agent',
    ],
    programs: ['neutron-server', 'neutron-linuxbridge-agent', 'neutron-dhcp-agent', 'neutron-metadata-agent'],
  },
  { name: 'keystone.conf', project: 'keystone', sets: ['keystone', 'oslo'], programs: ['keystone'] },
  { name: 'glance-api.conf', project: 'glance', sets: ['glance', ...shared], programs: ['glance-api'] },
  {
    name: 'placement.conf',
    project: 'placement',
    sets: ['placement', ...shared],
    programs: ['placement-api'],
  },
]

/** The kind of a file; `options` tells whether an option is one of a kind's. */
export function kindOf(
  file: IniFile,
  knows: (kind: FileKind, setting: { group: string; name: string }) => boolean,
): FileKind {
  const names = [file.path, resolved(file.path)].map((path) => basename(path))
  const named = fileKinds.find((kind) => names.includes(kind.name) || names.includes(`${kind.name}.sample`))
  if (named !== undefined) return named
  // A file of any name is mostly a part of the project's whose directory it lies in: nova-cpu.conf, nova.conf.d/10.conf.
  const place = `${basename(dirname(file.path))}/${basename(file.path)}`
  const ranked = fileKinds.map((kind, index) => {
    const hits = file.settings.filter((setting) => knows(kind, setting)).length
    return { kind, hits, near: place.includes(kind.project) ? 1 : 0, index }
  })
  ranked.sort((a, b) => b.hits - a.hits || b.near - a.near || a.index - b.index)
  return ranked[0]!.kind
}

function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
