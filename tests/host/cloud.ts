/** A cloud with real guests for one test file: started as a user would start it, purged at the end. */
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AdminClient, remoteAdminClient } from '../../src/cli/admin-client.ts'
import { type CloudSettings, layout, readSecrets, requireSettings } from '../../src/cli/up/settings.ts'

const home = join(import.meta.dirname, '../..')

export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

export interface TestCloud extends AsyncDisposable {
  stateDir: string
  settings: CloudSettings
  admin: AdminClient
  /** Runs `./kilonova COMMAND --state-dir …`. */
  kilonova(command: string, ...args: string[]): Promise<Outcome>
  /** Runs the unmodified `openstack` client as the administrator; throws with what it said when it fails. */
  openstack(...args: string[]): Promise<string>
}

/** Why real guests cannot run here; undefined when they can. For `test(title, { skip })`. */
export function cannotRunGuests(): string | false {
  if (process.getuid?.() !== 0) return 'needs root'
  if (!existsSync('/dev/net/tun')) return 'needs /dev/net/tun'
  return false
}

/** Starts a cloud with ports and a state directory of its own; `up` chooses a provider range that is free. */
export async function startRealCloud(...upOptions: string[]): Promise<TestCloud> {
  const stateDir = mkdtempSync(join(tmpdir(), 'kilonova-host-'))
  const offset = 1000 + 20 * randomInt(1300)
  const own = ['--port-offset', String(offset), '--yes', ...upOptions]
  const up = await run(join(home, 'kilonova'), ['up', '--state-dir', stateDir, ...own])
  if (up.code !== 0) {
    await run(join(home, 'kilonova'), ['down', '--purge', '--state-dir', stateDir])
    throw new Error(`kilonova up failed:\n${up.stdout}${up.stderr}`)
  }
  const settings = requireSettings(stateDir)
  const environment = environmentOf(layout(stateDir).openrc)
  return {
    stateDir,
    settings,
    admin: await remoteAdminClient(settings, readSecrets(stateDir)),
    kilonova: (command, ...args) => run(join(home, 'kilonova'), [command, '--state-dir', stateDir, ...args]),
    openstack: async (...args) => {
      const outcome = await run('openstack', args, environment)
      if (outcome.code !== 0)
        throw new Error(`openstack ${args.join(' ')}: ${outcome.stdout}${outcome.stderr}`)
      return outcome.stdout
    },
    [Symbol.asyncDispose]: async () => {
      const purged = await run(join(home, 'kilonova'), ['down', '--purge', '--state-dir', stateDir])
      rmSync(stateDir, { recursive: true, force: true })
      if (purged.code !== 0)
        throw new Error(`kilonova down --purge failed:\n${purged.stdout}${purged.stderr}`)
    },
  }
}

/** Runs a program to its end; its exit code is part of the outcome, not an error. */
export function run(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024, timeout: 600_000 }
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 128
      resolve({ code, stdout, stderr: error !== null && stderr === '' ? error.message : stderr })
    })
  })
}

/** Calls `look` until it gives something; throws with what it last said when the time is over. */
export async function until<T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined | false>,
): Promise<T> {
  const end = Date.now() + seconds * 1000
  while (true) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`)
    await sleep(200)
  }
}

function environmentOf(openrc: string): Record<string, string> {
  const lines = readFileSync(openrc, 'utf8').matchAll(/^export (\w+)=(.*)$/gm)
  return Object.fromEntries([...lines].map((line) => [line[1] ?? '', line[2] ?? '']))
}
