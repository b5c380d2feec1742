/** For tests: nova's management commands over databases in a directory of their own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import type { PlacementClient } from '#placement/client.ts'
import { openDatabase } from '../../base/db/database.ts'
import { Fault } from '../../base/errors.ts'
import { type ManageCommand, runManage } from '../../base/manage/program.ts'
import type { ApiTables } from '../store/api-tables.ts'
import type { CellTables } from '../store/cell-tables.ts'
import { novaManageCommands, novaStatusCommands } from './commands.ts'
import type { NovaManage, NovaSettings } from './deps.ts'

export interface ManageWorld extends AsyncDisposable {
  directory: string
  deps: NovaManage
  /** Runs a command line; gives its exit code and what it printed. */
  run(line: string): Promise<{ code: number; output: string }>
}

export function manageWorld(
  settings: Partial<NovaSettings> = {},
  placement?: Partial<PlacementClient>,
): ManageWorld {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-manage-'))
  const open = new Map<string, Kysely<unknown>>()
  const database = <T>(url: string): Kysely<T> => {
    const known = open.get(url) ?? (openDatabase(url) as Kysely<unknown>)
    open.set(url, known)
    return known as Kysely<T>
  }
  let printed: string[] = []
  const deps: NovaManage = {
    settings: {
      apiDatabase: `sqlite:///${directory}/nova_api`,
      database: `sqlite:///${directory}/nova`,
      transportUrl: 'rabbit://openstack:secret@controller',
      sendServiceUserToken: false,
      policyFile: null,
      host: 'controller',
      myIp: '192.0.2.10',
      quota: {},
      files: [],
      ...settings,
    },
    print: (line) => printed.push(line),
    apiDb: () => database<ApiTables>(deps.settings.apiDatabase!),
    cellDb: (url) => database<CellTables>(url),
    async placement() {
      if (placement === undefined) throw new Fault('invalid', 'No [placement] auth_url is set.')
      return placement as PlacementClient
    },
    async identity() {
      throw new Fault('invalid', 'No [keystone_authtoken] auth_url is set.')
    },
    // Commands close what they open; here all commands of a test share it.
    [Symbol.asyncDispose]: async () => undefined,
  }
  const program = (commands: readonly ManageCommand<NovaManage>[]) => ({
    name: 'nova-manage',
    help: '',
    version: '0',
    commands,
    open: async () => deps,
  })
  return {
    directory,
    deps,
    async run(line) {
      printed = []
      const words = line.split(' ')
      const commands = words[0] === 'upgrade' ? novaStatusCommands : novaManageCommands
      const code = await runManage(program(commands), words)
      return { code, output: printed.join('\n') }
    },
    async [Symbol.asyncDispose]() {
      for (const db of open.values()) await db.destroy()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
