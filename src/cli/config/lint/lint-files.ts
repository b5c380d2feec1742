/** Checks configuration files of OpenStack, alone and against each other. */

import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { parseIni } from '../../../base/config/ini.ts'
import type { ConfigFile } from '../../../base/config/sources.ts'
import type { ProgramName } from '../programs.ts'
import { type Catalog, createCatalogs, findEntry } from './catalog.ts'
import { fileKinds, kindOf } from './file-kind.ts'
import type { Finding } from './finding.ts'
import type { HostFacts, LintContext, LintFile, Meant } from './rule.ts'
import { addresses } from './rules/addresses.ts'
import { databases } from './rules/databases.ts'
import { identity } from './rules/identity.ts'
import { names } from './rules/names.ts'
import { networks } from './rules/networks.ts'
import { secrets } from './rules/secrets.ts'
import { standing } from './rules/standing.ts'
import { syntax } from './rules/syntax.ts'
import { values } from './rules/values.ts'

const rules = [syntax, names, standing, values, databases, secrets, addresses, identity, networks]

export interface LintOptions {
  role?: 'compute' | 'controller'
  /** The program that reads these files, when it is one that starts. */
  program?: ProgramName
  /** Facts of the host that the files are for; without them nothing is said of addresses and interfaces. */
  host?: HostFacts
}

/** Every finding, by file in the order given, then by line. */
export function lintFiles(files: readonly ConfigFile[], options: LintOptions = {}): Finding[] {
  const catalogOf = createCatalogs()
  const context: LintContext = {
    files: files.map((file) => prepare(file, catalogOf)),
    catalogs: () => fileKinds.values().map(catalogOf),
    host: options.host,
    role: undefined,
    program: options.program,
  }
  context.role = roleOf(context, options)
  const order = new Map(files.map(({ path }, index) => [path, index]))
  const place = ({ path }: Finding) => order.get(path) ?? files.length
  return rules
    .flatMap((rule) => rule(context))
    .sort((a, b) => place(a) - place(b) || a.line - b.line || a.column - b.column)
}

/** What this host has, for `LintOptions.host`. */
export function hostFacts(): HostFacts {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    (list ?? []).map(({ address }) => ({ name, address })),
  )
  // Not /sys, which in a network namespace may still be the whole machine's.
  const lines = readFileSync('/proc/self/net/dev', 'utf8').split('\n').slice(2)
  const nics = lines.map((line) => line.split(':')[0]!.trim()).filter((name) => name !== '' && name !== 'lo')
  return { addresses, nics }
}

function prepare({ path, content }: ConfigFile, catalogOf: ReturnType<typeof createCatalogs>): LintFile {
  const ini = parseIni(path, content)
  const kind = kindOf(ini, (kind, setting) => findEntry(catalogOf(kind), setting) !== undefined)
  const catalog: Catalog = catalogOf(kind)
  const meant = ini.settings.flatMap((setting): Meant[] => {
    const found = findEntry(catalog, setting)
    return found === undefined ? [] : [{ setting, ...found }]
  })
  return { path, ini, lines: content.split(/\r?\n/), kind, catalog, meant }
}

const agents: readonly ProgramName[] = [
  'nova-compute',
  'neutron-linuxbridge-agent',
  'neutron-dhcp-agent',
  'neutron-metadata-agent',
]

function roleOf({ files }: LintContext, { role, program }: LintOptions): LintContext['role'] {
  if (role !== undefined) return { name: role, isGuess: false }
  if (program !== undefined) {
    // An agent may run beside the services, on a controller whose files name databases rightly.
    return agents.includes(program)
      ? { name: 'compute', isGuess: true }
      : { name: 'controller', isGuess: false }
  }
  const has = (names: readonly string[]) =>
    files.some(({ meant }) => meant.some(({ entry }) => names.includes(`${entry.group}.${entry.name}`)))
  if (
    has(['api_database.connection', 'DEFAULT.core_plugin', 'DEFAULT.service_plugins', 'ml2.type_drivers'])
  ) {
    return { name: 'controller', isGuess: true }
  }
  if (has(['libvirt.virt_type', 'DEFAULT.compute_driver', 'linux_bridge.physical_interface_mappings'])) {
    return { name: 'compute', isGuess: true }
  }
  return undefined
}
