/** The test suite as one command: the same for people and for CI. */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../base/errors.ts'
import { mariadb } from '../testing/databases/mariadb.ts'
import { postgresql } from '../testing/databases/postgresql.ts'
import type { ServerKind } from '../testing/databases/server.ts'

const home = join(import.meta.dirname, '../..')
const bin = (name: string) => join(home, 'node_modules/.bin', name)

interface Part {
  about: string
  command: string
  args: () => string[]
  env?: Readonly<Record<string, string>>
  /** Why it cannot run here. */
  missing?: () => string | undefined
}

const nodeTest = (flags: string[], pattern: string) => () => [
  '--disable-warning=ExperimentalWarning',
  '--test',
  ...flags,
  ...globSync(pattern, { cwd: home }).sort(),
]

/** The tests that open databases. */
const withDatabase =
  'src/{base/db,base/flow,identity,image,placement,network,compute/{api,cells,conductor,manage,metadata,scheduler,store}}/**/*.test.ts'

const onServer = (kind: ServerKind, product: string): Part => ({
  about: `stores and APIs on ${product}`,
  command: process.execPath,
  // A test that fails may leave its connections open.
  args: nodeTest(['--test-isolation=none', '--test-force-exit'], withDatabase),
  env: { TEST_DB: kind.name },
  missing: () => {
    const programs = kind.find()
    return 'missing' in programs ? programs.missing : undefined
  },
})

/** `stories` and `host` run a file at a time: they start clouds of their own. `messaging` shares one broker. */
const parts: Readonly<Record<string, readonly Part[]>> = {
  check: [
    { about: 'format and lint', command: bin('biome'), args: () => ['check', '--error-on-warnings', '.'] },
    { about: 'types', command: bin('tsc'), args: () => ['--noEmit'] },
    {
      about: 'unit and contract tests',
      command: process.execPath,
      args: () => [
        '--disable-warning=ExperimentalWarning',
        '--test',
        '--test-isolation=none',
        ...globSync('{src,tests}/**/*.test.ts', {
          cwd: home,
          exclude: (name) => /tests\/(stories|host)/.test(String(name)),
        }).sort(),
      ],
    },
  ],
  databases: [onServer(mariadb, 'MariaDB'), onServer(postgresql, 'PostgreSQL')],
  stories: [
    {
      about: 'stories on a simulated cloud',
      command: process.execPath,
      args: nodeTest(['--test-concurrency=2'], 'tests/stories/**/*.test.ts'),
    },
  ],
  host: [
    {
      about: 'real guests and networks',
      command: process.execPath,
      args: nodeTest(['--test-concurrency=1'], 'tests/host/{,oslo-config/}*.test.ts'),
    },
  ],
  messaging: [
    {
      about: 'a real RabbitMQ and memcached, with the real oslo.messaging',
      command: process.execPath,
      args: nodeTest(['--test-isolation=none'], 'tests/host/messaging/*.test.ts'),
    },
  ],
  rig: [
    {
      about: 'clouds of several hosts: installation guides played as they stand',
      command: process.execPath,
      args: nodeTest(['--test-concurrency=1'], 'tests/host/{rig,walkthrough}/*.test.ts'),
    },
  ],
  swap: [
    {
      about: 'one of the original services among ours, one of ours among the original services',
      command: process.execPath,
      args: nodeTest(['--test-concurrency=1'], 'tests/host/swap/*.test.ts'),
    },
  ],
  faults: [
    {
      about: 'every program, broker and database killed in turn while servers come and go',
      command: process.execPath,
      args: nodeTest(['--test-concurrency=1'], 'tests/host/faults/*.test.ts'),
    },
  ],
}

/** What needs nothing of the original's; `swap` is asked for by name. The quickest come first. */
const usual = ['check', 'databases', 'stories', 'messaging', 'host', 'rig', 'faults']

/** Runs the named parts, or the usual ones; stops at the first that fails. */
export async function test(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !(name in parts))
  if (unknown !== undefined) {
    throw new Fault('invalid', `There is no part ${unknown}; there are ${Object.keys(parts).join(', ')}.`)
  }
  for (const name of names.length === 0 ? usual : names) {
    for (const part of parts[name] ?? []) {
      console.log(`\n== ${name}: ${part.about}`)
      const missing = part.missing?.()
      if (missing !== undefined) {
        console.log(`skipped: ${missing}`)
        continue
      }
      const env = { ...process.env, ...part.env }
      const result = spawnSync(part.command, part.args(), { cwd: home, stdio: 'inherit', env })
      if (result.status !== 0) return result.status ?? 1
    }
  }
  return 0
}
