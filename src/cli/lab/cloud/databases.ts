/** The databases and database users of a lab's cloud, and the message queue's user. */
import { databases } from '../../init/config-files.ts'
import { type Secrets, type ServiceName, services } from '../../init/secrets.ts'
import type { Lab } from '../lab.ts'
import { controllerOf } from '../plan.ts'

export async function createDatabases(lab: Lab, secrets: Secrets): Promise<void> {
  const host = controllerOf(lab.plan).name
  if (lab.plan.database === 'mariadb') {
    await lab.run(host, ['mysql', '-uroot'], { input: `${mariadbStatements(secrets).join('\n')}\n` })
    return
  }
  const input = `${postgresqlStatements(secrets).join('\n')}\n`
  await lab.run(host, ['psql', '--quiet', '--set=ON_ERROR_STOP=1'], { user: 'postgres', input })
}

function mariadbStatements(secrets: Secrets): string[] {
  return Object.entries(databases).flatMap(([database, owner]) => [
    `CREATE DATABASE IF NOT EXISTS ${database};`,
    ...['localhost', '%'].map(
      (from) =>
        `GRANT ALL PRIVILEGES ON ${database}.* TO '${owner}'@'${from}' IDENTIFIED BY '${secrets.database[owner]}';`,
    ),
  ])
}

function postgresqlStatements(secrets: Secrets): string[] {
  return [
    ...services.map((name: ServiceName) => `CREATE ROLE ${name} LOGIN PASSWORD '${secrets.database[name]}';`),
    ...Object.entries(databases).map(([database, owner]) => `CREATE DATABASE ${database} OWNER ${owner};`),
  ]
}

export async function createRabbitUser(lab: Lab, secrets: Secrets): Promise<void> {
  const host = controllerOf(lab.plan).name
  await lab.run(host, ['rabbitmqctl', 'add_user', 'openstack', secrets.rabbit])
  await lab.run(host, ['rabbitmqctl', 'set_permissions', 'openstack', '.*', '.*', '.*'])
}
