/** `nova-manage` and `nova-status` over the databases and services that nova.conf names. */
import type { Kysely } from 'kysely'
import { hostNameOf } from '../../base/config/common/host.ts'
import { openDatabase } from '../../base/db/database.ts'
import type { ManageProgram, Sources } from '../../base/manage/program.ts'
import { version } from '../../base/version.ts'
import { quotaOf } from '../../compute/config-file/api.ts'
import { novaOptions } from '../../compute/config-file/nova.ts'
import { novaManageCommands, novaStatusCommands } from '../../compute/manage/commands.ts'
import { type NovaManage, needApiDatabase } from '../../compute/manage/deps.ts'
import type { ApiTables } from '../../compute/store/api-tables.ts'
import type { CellTables } from '../../compute/store/cell-tables.ts'
import { loadManaged } from './sources.ts'

async function open(sources: Sources): Promise<NovaManage> {
  const { config, files } = loadManaged(novaOptions, { project: 'nova', name: 'nova-manage' }, sources)
  const databases = new Map<string, Kysely<unknown>>()
  const database = <T>(url: string): Kysely<T> => {
    const known = databases.get(url) ?? (openDatabase(url) as Kysely<unknown>)
    databases.set(url, known)
    return known as Kysely<T>
  }
  const deps: NovaManage = {
    settings: {
      apiDatabase: config.apiDatabaseConnection,
      database: config.databaseConnection,
      // The default names no host.
      transportUrl: config.transportUrl === 'rabbit://' ? null : config.transportUrl,
      sendServiceUserToken: config.serviceUserSendToken,
      policyFile: config.policyFile,
      host: hostNameOf(config),
      myIp: config.myIp,
      quota: { ...quotaOf(config) },
      files,
    },
    print: (line) => console.log(line),
    apiDb: () => database<ApiTables>(needApiDatabase(deps)),
    cellDb: (url) => database<CellTables>(url),
    async placement() {
      const { placementOf } = await import('./placement.ts')
      return placementOf(config)
    },
    async identity() {
      const { identityOf } = await import('./identity.ts')
      return identityOf(config)
    },
    async [Symbol.asyncDispose]() {
      for (const db of databases.values()) await db.destroy()
    },
  }
  return deps
}

export const novaManage: ManageProgram<NovaManage> = {
  name: 'nova-manage',
  help: 'looks after the databases, cells and allocations of compute',
  version,
  commands: novaManageCommands,
  open,
}

export const novaStatus: ManageProgram<NovaManage> = {
  name: 'nova-status',
  help: 'tells whether compute can be upgraded',
  version,
  commands: novaStatusCommands,
  open,
}
