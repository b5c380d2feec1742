/** OpenStack's programs with the options each reads and the files these stand in. */
import { existsSync } from 'node:fs'
import type { Options } from '../../base/config/option.ts'
import { readSources, type WantedSources } from '../../base/config/sources.ts'
import { novaOptions } from '../../compute/config-file/nova.ts'
import { keystoneOptions } from '../../identity/config-file.ts'
import { glanceOptions } from '../../image/config-file.ts'
import {
  dhcpAgentOptions,
  linuxbridgeAgentOptions,
  metadataAgentOptions,
} from '../../network/config-file/agents.ts'
import { neutronServerOptions } from '../../network/config-file/neutron.ts'
import { placementFileOptions } from '../../placement/config-file.ts'

export interface Program {
  project: string
  options: Options
  /** Read beside `/etc/<project>/<project>.conf` where no files are asked for. */
  also?: readonly string[]
  /** Read where none are asked for and none of its own is there. */
  instead?: readonly string[]
}

const nova = { project: 'nova', options: novaOptions } as const
const agent = <const O extends Options>(options: O, file: string) =>
  ({ project: 'neutron', options, also: [`/etc/neutron/${file}`] }) as const

export const programs = {
  'nova-api': nova,
  'nova-api-metadata': nova,
  'nova-conductor': nova,
  'nova-scheduler': nova,
  'nova-compute': nova,
  'nova-consoleauth': nova,
  'neutron-server': {
    project: 'neutron',
    options: neutronServerOptions,
    also: ['/etc/neutron/plugin.ini'],
  },
  'neutron-linuxbridge-agent': agent(linuxbridgeAgentOptions, 'plugins/ml2/linuxbridge_agent.ini'),
  'neutron-dhcp-agent': agent(dhcpAgentOptions, 'dhcp_agent.ini'),
  'neutron-metadata-agent': agent(metadataAgentOptions, 'metadata_agent.ini'),
  // Until it became a project of its own, it was a part of nova and was set up in nova.conf.
  'placement-api': {
    project: 'placement',
    options: placementFileOptions,
    instead: ['/etc/nova/nova.conf'],
  },
  keystone: { project: 'keystone', options: keystoneOptions },
  'glance-api': { project: 'glance', options: glanceOptions },
} as const satisfies Record<string, Program>

export type ProgramName = keyof typeof programs

/** The files, environment and command line of a program, as `loadConfig` takes them. */
export function sourcesOf(
  program: ProgramName,
  asked: Omit<WantedSources, 'project' | 'program' | 'also'> = {},
): ReturnType<typeof readSources> {
  const { project, also = [], instead = [] }: Program = programs[program]
  const read = (more: Partial<WantedSources>) =>
    readSources({ project, program, also, environment: process.env, ...asked, ...more })
  const sources = read({})
  const others = instead.filter(existsSync)
  return sources.files.length > 0 || others.length === 0 ? sources : read({ configFiles: others })
}
