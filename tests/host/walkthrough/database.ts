/** What the walk-through says to MariaDB, and what is said to PostgreSQL in its place. */
import type { Lab } from '../../../src/cli/lab/lab.ts'
import { controllerOf, type Database } from '../../../src/cli/lab/plan.ts'

interface Speech {
  /** Runs a statement as the database's superuser. */
  sql(lab: Lab, statement: string): Promise<void>
  /** A text with the URLs of this database. */
  url(text: string): string
  /** A command line that looks into this database. */
  command(line: string): string
}

const grant =
  /^GRANT ALL PRIVILEGES ON (?<database>\w+)\.\* TO '(?<user>\w+)'@'[^']+' IDENTIFIED BY '(?<password>[^']+)';$/

/** A role with the password, made once, that owns the database: what the grants come to. */
function grantInPostgresql(statement: string): string {
  const { database, user, password } = grant.exec(statement)?.groups ?? {}
  if (database === undefined) return statement
  const role = `SELECT 'CREATE ROLE ${user} LOGIN PASSWORD ''${password}''' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${user}')\\gexec`
  return `${role}\nALTER DATABASE ${database} OWNER TO ${user};`
}

export const forDatabase: Readonly<Record<Database, Speech>> = {
  mariadb: {
    sql: async (lab, statement) => {
      await lab.run(controllerOf(lab.plan).name, ['mysql', '-uroot'], { input: statement })
    },
    url: (text) => text,
    command: (line) => line,
  },
  postgresql: {
    sql: async (lab, statement) => {
      const command = ['psql', '--quiet', '--set=ON_ERROR_STOP=1']
      await lab.run(controllerOf(lab.plan).name, command, {
        user: 'postgres',
        input: `${grantInPostgresql(statement)}\n`,
      })
    },
    url: (text) => text.replaceAll('mysql+pymysql://', 'postgresql+psycopg2://'),
    command: (line) =>
      line.replace(
        /^mysql -u(\w+) -p(\w+) -e "use (\w+); show tables;"$/,
        `psql postgresql://$1:$2@controller/$3 -At -c "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"`,
      ),
  },
}
