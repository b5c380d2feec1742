/** What a volume service must know of a host to connect a volume to it, as os-brick gathers it. */
import { readdirSync, readFileSync } from 'node:fs'
import { machine } from 'node:os'
import { join } from 'node:path'

type Connector = Record<string, string | boolean | readonly string[]>

/** `root` is where the host's files are: `/`, but for tests. */
export function hostConnector({
  host,
  ip,
  root = '/',
}: {
  host: string
  ip: string
  root?: string
}): Connector {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(join(root, path), 'utf8').trim() || undefined
    } catch {
      // Absent, or not for us to read: the host has no such initiator then.
      return undefined
    }
  }
  const initiator = /^InitiatorName=(\S+)/m.exec(read('etc/iscsi/initiatorname.iscsi') ?? '')?.[1]
  const systemUuid = read('sys/class/dmi/id/product_uuid')
  const nqn = read('etc/nvme/hostnqn')
  const ports = fibreChannelHosts(root)
  const names = (file: string) =>
    ports.flatMap((port) => read(`sys/class/fc_host/${port}/${file}`)?.replace(/^0x/, '') ?? [])
  const wwpns = names('port_name')
  const wwnns = names('node_name')
  return {
    platform: machine(),
    os_type: 'linux',
    ip,
    host,
    multipath: false,
    ...(initiator === undefined ? {} : { initiator }),
    ...(wwpns.length === 0 ? {} : { wwpns, wwnns }),
    do_local_attach: false,
    ...(systemUuid === undefined ? {} : { 'system uuid': systemUuid.toLowerCase() }),
    ...(nqn === undefined ? {} : { nqn }),
    nvme_native_multipath: read('sys/module/nvme_core/parameters/multipath') === 'Y',
  }
}

function fibreChannelHosts(root: string): readonly string[] {
  try {
    return readdirSync(join(root, 'sys/class/fc_host')).sort()
  } catch {
    return []
  }
}
