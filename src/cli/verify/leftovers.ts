/** Looks for traces of a deleted server everywhere the cloud keeps or makes something. */
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isFault } from '../../base/errors.ts'
import { silentLogger } from '../../base/log.ts'
import { hostRun } from '../../linux/run.ts'
import type { AdminClient } from '../admin-client.ts'
import { type CloudSettings, layout } from '../up/settings.ts'

export interface Traces {
  serverId: string
  portIds: readonly string[]
  macAddresses: readonly string[]
}

/** One line for each thing that is still there; empty when nothing is. */
export async function findLeftovers(
  stateDir: string,
  settings: CloudSettings,
  admin: AdminClient,
  traces: Traces,
): Promise<string[]> {
  const found = [
    ...(await inApis(admin, traces)),
    ...inDatabases(stateDir, traces),
    ...inFiles(stateDir, traces),
  ]
  if (!settings.simulated) found.push(...inProcesses(traces), ...(await inKernel(traces)))
  return found
}

async function inApis(admin: AdminClient, traces: Traces): Promise<string[]> {
  const found: string[] = []
  const gone = await admin.call('compute', 'GET', `/v2.1/servers/${traces.serverId}`).then(
    () => false,
    (error: unknown) => {
      if (isFault(error, 'not-found')) return true
      throw error
    },
  )
  if (!gone) found.push(`server ${traces.serverId}`)
  const { allocations } = await admin.call<{ allocations: object }>(
    'placement',
    'GET',
    `/allocations/${traces.serverId}`,
  )
  if (Object.keys(allocations).length > 0) found.push(`allocations of ${traces.serverId}`)
  const { ports } = await admin.call<{ ports: { id: string }[] }>(
    'network',
    'GET',
    `/v2.0/ports?device_id=${traces.serverId}`,
  )
  found.push(...ports.map((port) => `port ${port.id}`))
  return found
}

function inDatabases(stateDir: string, traces: Traces): string[] {
  const database = new DatabaseSync(layout(stateDir).database('nova_api').replace('sqlite:///', ''), {
    readOnly: true,
  })
  try {
    const rows = database
      .prepare('SELECT kind, id FROM flows WHERE subject = ?')
      .all(`server:${traces.serverId}`)
    return rows.map((row) => `flow ${row['kind']} ${row['id']}`)
  } finally {
    database.close()
  }
}

function inFiles(stateDir: string, traces: Traces): string[] {
  const named = globSync(`${stateDir}/{instances,libvirt,network}/**/*${traces.serverId}*`)
  const leases = globSync(`${layout(stateDir).network}/**/{host,addn_hosts,opts}`).filter((file) => {
    const text = readFileSync(file, 'utf8')
    return traces.macAddresses.some((mac) => text.includes(mac))
  })
  return [...named.map((file) => `file ${file}`), ...leases.map((file) => `DHCP entry in ${file}`)]
}

function inProcesses(traces: Traces): string[] {
  const found: string[] = []
  for (const pid of readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
  )) {
    try {
      const command = readFileSync(join('/proc', pid, 'cmdline'), 'utf8')
      if (command.includes(traces.serverId)) found.push(`process ${pid} ${command.split('\0')[0]}`)
    } catch (error) {
      // The process ended between the listing and the look.
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  return found
}

async function inKernel(traces: Traces): Promise<string[]> {
  const run = hostRun(silentLogger)
  const looks: readonly (readonly [string, string, string[]])[] = [
    ['link', 'ip', ['link', 'show']],
    ['iptables rule', 'iptables-save', []],
    ['ip6tables rule', 'ip6tables-save', []],
    ['ebtables rule', 'ebtables-save', []],
  ]
  const found: string[] = []
  for (const [what, command, args] of looks) {
    const { stdout } = await run(command, args, { okCodes: [1] })
    for (const line of stdout.split('\n')) {
      const named = traces.portIds.some((id) => line.includes(id.slice(0, 10)))
      if (named || traces.macAddresses.some((mac) => line.toLowerCase().includes(mac)))
        found.push(`${what}: ${line.trim()}`)
    }
  }
  return found
}
