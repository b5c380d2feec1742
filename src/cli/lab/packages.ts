/** The distribution's packages that a lab needs besides those of a cloud on one machine. */
import { cloudNeeds, inPath, type Need } from '../up/packages.ts'
import type { Database } from './plan.ts'
import { hasPostgresqlServer } from './units.ts'

const databases: Readonly<Record<Database, readonly Need[]>> = {
  mariadb: [
    // The package that makes the user mysql, besides the program.
    {
      package: 'mariadb-server',
      files: ['/usr/bin/mariadbd-safe', '/usr/bin/mysqld_safe'],
      for: 'the database',
    },
    { package: 'mariadb-client', files: inPath('mariadb'), for: 'the database' },
  ],
  postgresql: [
    {
      package: 'postgresql',
      // Its directory has the version in its name.
      files: hasPostgresqlServer() ? ['/usr/lib/postgresql'] : [],
      for: 'the database',
    },
  ],
}

export const labNeeds = (database: Database): readonly Need[] => [
  ...cloudNeeds,
  ...databases[database],
  { package: 'rabbitmq-server', files: inPath('rabbitmqctl'), for: 'the message queue' },
  { package: 'memcached', files: inPath('memcached'), for: 'the cache of tokens' },
  { package: 'sudo', files: inPath('sudo'), for: 'network agents that are not root' },
  { package: 'socat', files: inPath('socat'), for: 'services that tell when they are ready' },
  { package: 'python3-openstackclient', files: inPath('openstack'), for: 'the command openstack' },
]
