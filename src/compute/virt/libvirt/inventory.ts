/** What this host has, from libvirt and the file system that holds the guests. */
import { mkdir, statfs } from 'node:fs/promises'
import { XMLParser } from 'fast-xml-parser'
import type { HostInventory } from '../driver.ts'
import { hostTraits } from './host-traits.ts'
import type { LibvirtClient } from './rpc/client.ts'

interface Capabilities {
  capabilities?: { host?: { cpu?: HostCpu } }
}

interface HostCpu {
  arch?: string
  model?: string
  vendor?: string
  topology?: { '@sockets'?: string; '@cores'?: string; '@threads'?: string }
  feature?: readonly { '@name': string }[]
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  isArray: (name) => name === 'feature',
})

/** Asks libvirt and the file system; the processor and its features do not change while a host runs. */
export async function readInventory(client: LibvirtClient, instancesPath: string): Promise<HostInventory> {
  await mkdir(instancesPath, { recursive: true })
  const [node, type, version, host, capabilities, disk] = await Promise.all([
    client.call('nodeGetInfo', undefined),
    client.call('connectGetType', undefined),
    client.call('connectGetVersion', undefined),
    client.call('connectGetHostname', undefined),
    client.call('connectGetCapabilities', undefined),
    statfs(instancesPath),
  ])
  const parsed: Capabilities = parser.parse(capabilities.capabilities)
  const cpu = parsed.capabilities?.host?.cpu ?? {}
  const features = (cpu.feature ?? []).map((feature) => feature['@name'])
  return {
    hypervisorType: type.type,
    hypervisorVersion: version.version,
    hypervisorHostname: host.hostname,
    cpuInfo: JSON.stringify({
      arch: cpu.arch,
      model: cpu.model,
      vendor: cpu.vendor,
      topology: {
        cells: node.nodes,
        sockets: Number(cpu.topology?.['@sockets'] ?? node.sockets),
        cores: Number(cpu.topology?.['@cores'] ?? node.cores),
        threads: Number(cpu.topology?.['@threads'] ?? node.threads),
      },
      features,
    }),
    vcpus: node.cpus,
    memoryMb: Math.floor(node.memoryKib / 1024),
    localGb: Math.floor((disk.blocks * disk.bsize) / 1024 ** 3),
    traits: hostTraits(features),
  }
}
