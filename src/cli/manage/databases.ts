/** The management programs of services with one database. */
import type { Kysely } from 'kysely'
import { openDatabase } from '../../base/db/database.ts'
import { type DatabaseManage, needConnection } from '../../base/manage/database-manage.ts'
import type { ManageProgram } from '../../base/manage/program.ts'
import { version } from '../../base/version.ts'
import { keystoneOptions } from '../../identity/config-file.ts'
import { type KeystoneManage, keystoneManageCommands } from '../../identity/manage/commands.ts'
import { glanceOptions } from '../../image/config-file.ts'
import { glanceManageCommands } from '../../image/manage/commands.ts'
import type { ImageTables } from '../../image/store/tables.ts'
import { neutronDatabaseOptions } from '../../network/config-file/neutron.ts'
import { neutronDbManageCommands } from '../../network/manage/commands.ts'
import type { Tables as NetworkTables } from '../../network/store/tables.ts'
import { placementFileOptions } from '../../placement/config-file.ts'
import { placementManageCommands } from '../../placement/manage/commands.ts'
import type { Tables as PlacementTables } from '../../placement/store/tables.ts'
import { loadManaged } from './sources.ts'

/** Opens the database when a command asks for it, and closes it after the command. */
function databaseOf<T>(url: string | null, group: string, files: readonly string[]): DatabaseManage<T> {
  let open: Kysely<T> | undefined
  return {
    db() {
      open ??= openDatabase<T>(needConnection(url, group, files))
      return open
    },
    print: (line) => console.log(line),
    async [Symbol.asyncDispose]() {
      await open?.destroy()
    },
  }
}

export const keystoneManage: ManageProgram<KeystoneManage> = {
  name: 'keystone-manage',
  help: 'sets up identity: its database, its keys and the first user',
  version,
  commands: keystoneManageCommands,
  async open(sources) {
    const { config, files } = loadManaged(keystoneOptions, { project: 'keystone', name: 'keystone' }, sources)
    return {
      ...databaseOf(config.databaseConnection, 'database', files),
      keyDirectory: config.keyRepository,
      maxActiveKeys: config.maxActiveKeys,
      environment: process.env,
    }
  },
}

export const glanceManage: ManageProgram<DatabaseManage<ImageTables>> = {
  name: 'glance-manage',
  help: 'sets up the database of images',
  version,
  commands: glanceManageCommands,
  async open(sources) {
    const program = { project: 'glance', name: 'glance-manage', also: ['/etc/glance/glance-api.conf'] }
    const { config, files } = loadManaged(glanceOptions, program, sources)
    return databaseOf(config.databaseConnection, 'database', files)
  },
}

export const placementManage: ManageProgram<DatabaseManage<PlacementTables>> = {
  name: 'placement-manage',
  help: 'sets up the database of placement',
  version,
  commands: placementManageCommands,
  async open(sources) {
    const program = { project: 'placement', name: 'placement' }
    const { config, files } = loadManaged(placementFileOptions, program, sources)
    return databaseOf(config.databaseConnection, 'placement_database', files)
  },
}

export const neutronDbManage: ManageProgram<DatabaseManage<NetworkTables>> = {
  name: 'neutron-db-manage',
  help: 'sets up the database of networks',
  version,
  commands: neutronDbManageCommands,
  async open(sources) {
    const program = { project: 'neutron', name: 'neutron-db-manage', also: ['/etc/neutron/plugin.ini'] }
    const { config, files } = loadManaged(neutronDatabaseOptions, program, sources)
    return databaseOf(config.databaseConnection, 'database', files)
  },
}
