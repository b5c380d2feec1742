/**
 * What runs on a lab's hosts besides OpenStack, as systemd units: database, message queue and cache on the controller,
 * libvirt on compute hosts. Each takes its options from its command line, so that this machine's own configuration of
 * the same program has no say.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../base/errors.ts'
import type { Database, HostPlan, LabPlan } from './plan.ts'

/** Unit files of a host, by file name. */
export function unitsOf(plan: LabPlan, host: HostPlan): Record<string, string> {
  if (host.role === 'compute') return { 'virtlogd.service': virtlogd, 'libvirtd.service': libvirtd }
  return {
    ...(plan.database === 'mariadb'
      ? { 'mariadb.service': mariadb }
      : { 'postgresql.service': postgresql(postgresqlDirectory()) }),
    'rabbitmq-server.service': rabbitmq(host.name),
    'memcached.service': memcached,
  }
}

export const databaseUnit: Readonly<Record<Database, string>> = {
  mariadb: 'mariadb.service',
  postgresql: 'postgresql.service',
}

const until = (command: string) => `/bin/bash -c 'until ${command}; do sleep 0.1; done'`
const answersOn = (port: number) => until(`(: > /dev/tcp/127.0.0.1/${port}) 2> /dev/null`)

// Character set, collation and connections are what OpenStack's installation guide sets.
const mariadb = `[Unit]
Description=MariaDB

[Service]
User=mysql
StateDirectory=mysql
RuntimeDirectory=mysqld
ExecStartPre=/bin/sh -c 'test -d /var/lib/mysql/mysql || mariadb-install-db --no-defaults --datadir=/var/lib/mysql --skip-test-db --auth-root-authentication-method=socket --auth-root-socket-user=root > /var/lib/mysql/install.log'
ExecStart=/usr/sbin/mariadbd --no-defaults --datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock --pid-file=/run/mysqld/mysqld.pid --bind-address=0.0.0.0 --max-connections=4096 --character-set-server=utf8 --collation-server=utf8_general_ci
ExecStartPost=${until('mariadb-admin --no-defaults ping > /dev/null 2>&1')}
Restart=on-failure

[Install]
WantedBy=multi-user.target
`

const postgresql = (programs: string) => `[Unit]
Description=PostgreSQL

[Service]
User=postgres
StateDirectory=postgresql
RuntimeDirectory=postgresql
ExecStartPre=/bin/sh -c 'test -d /var/lib/postgresql/data || { ${programs}/initdb -D /var/lib/postgresql/data --encoding=UTF8 --locale=C.UTF-8 --auth-local=peer --auth-host=scram-sha-256 && echo "host all all 0.0.0.0/0 scram-sha-256" >> /var/lib/postgresql/data/pg_hba.conf; }'
ExecStart=${programs}/postgres -D /var/lib/postgresql/data -c listen_addresses=* -c unix_socket_directories=/run/postgresql -c max_connections=500
ExecStartPost=${until(`${programs}/pg_isready --quiet`)}
KillSignal=SIGINT
Restart=on-failure

[Install]
WantedBy=multi-user.target
`

// Schedulers of the Erlang machine that look for work without pause would take a small machine's processor.
const rabbitmq = (host: string) => `[Unit]
Description=RabbitMQ

[Service]
User=rabbitmq
StateDirectory=rabbitmq
LogsDirectory=rabbitmq
WorkingDirectory=/var/lib/rabbitmq
Environment=HOME=/var/lib/rabbitmq RABBITMQ_NODENAME=rabbit@${host} "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+sbwt none +sbwtdcpu none +sbwtdio none"
ExecStart=/usr/lib/rabbitmq/bin/rabbitmq-server
ExecStartPost=${answersOn(5672)}
Restart=on-failure

[Install]
WantedBy=multi-user.target
`

const memcached = `[Unit]
Description=memcached

[Service]
User=memcache
ExecStart=/usr/bin/memcached -m 64 -l 0.0.0.0
ExecStartPost=${answersOn(11211)}
Restart=on-failure

[Install]
WantedBy=multi-user.target
`

const virtlogd = `[Unit]
Description=libvirt: consoles of guests

[Service]
ExecStart=/usr/sbin/virtlogd --config /etc/libvirt/virtlogd.conf
ExecStartPost=${until('test -S /run/libvirt/virtlogd-sock')}
KillMode=process
Restart=on-failure

[Install]
WantedBy=multi-user.target
`

const libvirtd = `[Unit]
Description=libvirt
Wants=virtlogd.service
After=virtlogd.service

[Service]
ExecStart=/usr/sbin/libvirtd --config /etc/libvirt/libvirtd.conf
ExecStartPost=${until('test -S /run/libvirt/libvirt-sock')}
KillMode=process
Restart=on-failure

[Install]
WantedBy=multi-user.target
`

const postgresqlHome = '/usr/lib/postgresql'

/** Debian keeps the server's programs by version, apart from the PATH; the newest. */
function findPostgresql(): string | undefined {
  const versions = existsSync(postgresqlHome) ? readdirSync(postgresqlHome).map(Number) : []
  return versions
    .sort((a, b) => b - a)
    .map((version) => join(postgresqlHome, String(version), 'bin'))
    .find((path) => existsSync(join(path, 'initdb')))
}

export const hasPostgresqlServer = (): boolean => findPostgresql() !== undefined

function postgresqlDirectory(): string {
  const found = findPostgresql()
  if (found === undefined) {
    throw new Fault('unavailable', `There is no PostgreSQL server below ${postgresqlHome}.`)
  }
  return found
}
