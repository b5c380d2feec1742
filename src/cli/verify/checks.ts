/** What a booted server must show. Each check resolves with a fact for the table or throws with the reason. */
import { sleep } from '../../base/clock.ts'
import { Fault } from '../../base/errors.ts'
import { silentLogger } from '../../base/log.ts'
import { hostRun } from '../../linux/run.ts'
import type { AdminClient } from '../admin-client.ts'

export interface ServerView {
  id: string
  name: string
  status: string
  fault?: { message: string }
  addresses: Record<string, { addr: string; 'OS-EXT-IPS-MAC:mac_addr': string }[]>
}

const run = hostRun(silentLogger)

/** Calls `look` until it gives something; a Fault that says what was waited for when `seconds` are over. */
export async function eventually<T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + seconds * 1000
  while (true) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (Date.now() > end) throw new Fault('unavailable', `${what}: not within ${seconds} s`)
    await sleep(200)
  }
}

export async function untilActive(admin: AdminClient, id: string): Promise<ServerView> {
  return eventually('the server is ACTIVE', 180, async () => {
    const { server } = await admin.call<{ server: ServerView }>('compute', 'GET', `/v2.1/servers/${id}`)
    if (server.status === 'ERROR')
      throw new Fault('unavailable', `The server is in ERROR: ${server.fault?.message}`)
    return server.status === 'ACTIVE' ? server : undefined
  })
}

export async function consoleOf(admin: AdminClient, id: string): Promise<string> {
  const path = `/v2.1/servers/${id}/action`
  const reply = await admin.call<{ output: string }>('compute', 'POST', path, { 'os-getConsoleOutput': {} })
  return reply.output
}

export async function ping(address: string): Promise<string> {
  return eventually(`${address} answers ping`, 60, async () => {
    const { code, stdout } = await run('ping', ['-c', '1', '-W', '1', address], { okCodes: [1] })
    return code === 0 ? `${/time=([\d.]+)/.exec(stdout)?.[1] ?? '?'} ms` : undefined
  })
}

/** Runs a command in the guest as root with the key file. */
export async function overSsh(keyFile: string, address: string, command: string): Promise<string> {
  const args = [
    ...['-i', keyFile, '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
    ...['-o', 'LogLevel=ERROR', '-o', 'ConnectTimeout=5', '-o', 'BatchMode=yes', `root@${address}`, command],
  ]
  return eventually(`ssh to ${address}`, 60, async () => {
    const { code, stdout } = await run('ssh', args, { okCodes: [255], timeoutSeconds: 30 })
    return code === 0 ? stdout.trim() : undefined
  })
}
